import { decodeJwt } from "jose";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import type { Browser } from "../../support/browser.ts";
import { alice, bob, type Person } from "../../support/cast.ts";
import { openFeed } from "../../support/feed-client.ts";
import type { Tokens } from "../../support/relying-party.ts";
import { type ReplaceableRedis, startReplaceableRedis } from "../../support/replaceable-redis.ts";
import { addService, type Caller, ordersService, post } from "../../support/services.ts";
import { createWorld, type World } from "../../support/world.ts";

const WITHIN = { timeout: 10_000, interval: 20 };

interface SignedIn {
  readonly browser: Browser;
  readonly tokens: Tokens;
}

describe("a Redis that is replaced under a running server", () => {
  let store: ReplaceableRedis;
  let world: World;
  let orders: Caller;
  beforeAll(async () => {
    store = await startReplaceableRedis();
    world = await createWorld({ stores: "redis", settings: { REDIS_URL: store.url } });
    orders = await addService(world.latchkey, ordersService);
  });
  afterAll(async () => {
    await world.close();
    await store.close();
  });

  async function signIn(person: Person): Promise<SignedIn> {
    const browser = world.openBrowser();
    return { browser, tokens: await world.apps.shopWeb.signIn(browser, person, { scope: "openid orders:read" }) };
  }

  async function accessOf({ browser, tokens }: SignedIn) {
    const parameters = { token: tokens.accessToken };
    const { body } = await post(world.latchkey, "/introspect", { caller: orders, parameters });
    const { url } = await browser.open((await world.apps.notesWeb.begin({ prompt: "none" })).url);
    return {
      jwt: (body as { readonly active: boolean }).active,
      cookie: url.searchParams.get("error") !== "login_required",
      refresh: (await world.apps.shopWeb.requestRefresh(tokens.refreshToken)).status === 200,
    };
  }

  const isReady = async (): Promise<boolean> => (await fetch(`${world.latchkey.issuer}/health/ready`)).ok;

  async function replaceWith(savedFile?: string): Promise<void> {
    await store.replace(savedFile);
    await expect.poll(isReady, WITHIN).toBe(true);
  }

  test("by yesterday's lets nobody in again who signed out since, and keeps who is signed in", async () => {
    const [ofAlice, ofBob] = [await signIn(alice), await signIn(bob)];
    const saved = await store.save();
    const { sid, sub } = decodeJwt(ofAlice.tokens.accessToken);
    await world.latchkey.sessions.end(String(sub), String(sid), "ended_by_person");
    await replaceWith(saved);
    expect(await accessOf(ofAlice)).toEqual({ jwt: false, cookie: false, refresh: false });
    expect(await accessOf(ofBob)).toMatchObject({ cookie: true, refresh: true });
  });

  test("by an empty one signs everybody out, and every service is told of the new epoch", async () => {
    const parameters = { grant_type: "client_credentials", scope: "revocations" };
    const { body } = await post(world.latchkey, "/token", { caller: orders, parameters });
    const { access_token: token } = body as { readonly access_token: string };
    const feed = await openFeed(world.latchkey, { token });
    onTestFinished(() => feed.close());
    await feed.upToDate();
    const ofBob = await signIn(bob);
    expect(await accessOf(ofBob)).toMatchObject({ jwt: true });
    await replaceWith();
    expect(await accessOf(ofBob)).toEqual({ jwt: false, cookie: false, refresh: false });
    // The feed's own token is of the old epoch like all others.
    expect(await feed.ended).toBe("whole");
    expect(feed.events.at(-1)?.data).toMatchObject({ kind: "epoch" });
  });
});
