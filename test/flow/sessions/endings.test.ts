import { decodeJwt } from "jose";
import { sql } from "kysely";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Browser, Page } from "../../support/browser.ts";
import { alice, bob, mallory, type Person } from "../../support/cast.ts";
import type { Stores, TestLatchkey } from "../../support/latchkey.ts";
import { errorOf, type SentRequest, type Tokens } from "../../support/relying-party.ts";
import { addService, type Caller, ordersService, post, startSecondNode } from "../../support/services.ts";
import { createWorld, type World } from "../../support/world.ts";

const FOR_ORDERS = { scope: "openid orders:read" };
const FIREFOX = { "user-agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0" };

/** One person in one browser, with everything that lets somebody in. */
interface SignedIn {
  readonly browser: Browser;
  readonly tokens: Tokens;
  readonly unused: SentRequest;
  readonly unusedCallback: URL;
  readonly sessionId: string;
}

interface Access {
  readonly cookie: boolean;
  readonly refresh: boolean;
  readonly code: boolean;
  readonly jwt: boolean;
}

const EVERYTHING: Access = { cookie: true, refresh: true, code: true, jwt: true };
const NOTHING: Access = { cookie: false, refresh: false, code: false, jwt: false };

describe.each<Stores>(["redis", "postgres"])("on %s", (stores) => {
  let world: World;
  let second: TestLatchkey;
  let orders: Caller;

  beforeAll(async () => {
    world = await createWorld({ stores });
    orders = await addService(world.latchkey, ordersService);
    second = await startSecondNode(world.latchkey);
  });
  afterAll(async () => {
    await second.close();
    await world.close();
  });

  async function signIn(person: Person = alice): Promise<SignedIn> {
    const { shopWeb } = world.apps;
    const browser = world.openBrowser(FIREFOX);
    const tokens = await shopWeb.signIn(browser, person, FOR_ORDERS);
    const unused = await shopWeb.begin(FOR_ORDERS);
    const { url: unusedCallback } = await browser.open(unused.url);
    return { browser, tokens, unused, unusedCallback, sessionId: String(decodeJwt(tokens.accessToken)["sid"]) };
  }

  /** What still lets somebody in. Asked of both nodes where it can be. */
  async function accessOf({ browser, tokens, unused, unusedCallback }: SignedIn): Promise<Access> {
    const { notesWeb, shopWeb } = world.apps;
    const nodes = [world.latchkey, second];
    const introspections = await Promise.all(
      nodes.map((node) => post(node, "/introspect", { caller: orders, parameters: { token: tokens.accessToken } })),
    );
    const isActive = introspections.map(({ body }) => (body as { active: boolean }).active);
    expect(isActive[0]).toBe(isActive[1]);
    const { url } = await browser.open((await notesWeb.begin({ prompt: "none" })).url);
    return {
      jwt: isActive[0] === true,
      cookie: url.searchParams.has("code"),
      code: (await shopWeb.redeem(unused, unusedCallback)).status === 200,
      refresh: (await shopWeb.requestRefresh(tokens.refreshToken)).status === 200,
    };
  }

  async function countRevocations(kind: string, value: string): Promise<number> {
    const { rows } = await sql<{ count: string }>`
      select count(*)::text as count from revocations where kind = ${kind} and value = ${value}`.execute(
      world.latchkey.database.db,
    );
    return Number(rows[0]?.count);
  }

  async function signOutAtApp({ browser, tokens }: SignedIn): Promise<void> {
    const url = new URL(world.server.end_session_endpoint ?? "");
    url.searchParams.set("id_token_hint", tokens.idToken);
    const page = await browser.open(url);
    await browser.submit(page, page.formWith("xsrf"), { button: /^Sign out$/ });
  }

  async function signOutAtAccount({ browser }: SignedIn): Promise<void> {
    const page = await browser.open(`${world.latchkey.issuer}/account`);
    await browser.submit(page, page.formWith("csrf"));
  }

  const accountIdOf = ({ tokens }: SignedIn): string => tokens.claims.sub;

  test.each<[string, (of: SignedIn) => Promise<unknown>]>([
    ["a sign-out at an app", (of) => signOutAtApp(of)],
    ["a sign-out at the account page", (of) => signOutAtAccount(of)],
    ["ending it from elsewhere", (of) => second.sessions.end(accountIdOf(of), of.sessionId, "ended_by_person")],
  ])("%s ends one session and nothing of another [ASVS 7.4.1]", async (_way, end) => {
    const [ended, living, bobs] = [await signIn(), await signIn(), await signIn(bob)];
    await end(ended);
    // The answer is there, so everything else has to be.
    expect(await countRevocations("session", ended.sessionId)).toBe(1);
    expect(await accessOf(ended)).toEqual(NOTHING);
    expect(await accessOf(living)).toEqual(EVERYTHING);
    expect(await accessOf(bobs)).toEqual(EVERYTHING);
  });

  test("ending all others leaves the session that asked", async () => {
    const [kept, lost] = [await signIn(), await signIn()];
    await second.sessions.endOthers(accountIdOf(kept), kept.sessionId, "password_changed");
    expect(await accessOf(lost)).toEqual(NOTHING);
    expect(await accessOf(kept)).toEqual(EVERYTHING);
  });

  describe("a sign-in whose password was right and that the browser has not come back from", () => {
    const carol: Person = { email: "carol@example.com", name: "Carol Clark", password: "marble-thicket-violin-8" };
    beforeAll(async () => void (await world.latchkey.accounts.register(carol, "operator")));

    /** Leaves the browser where the answer sends it, before it goes there. */
    const sendPassword = async (browser: Browser, page: Page): Promise<URL> => {
      const { action, fields } = page.formWith("password");
      const body = new URLSearchParams([...new Map([...fields, ["email", carol.email], ["password", carol.password]])]);
      const headers = { origin: page.url.origin };
      const answer = await browser.fetch(new URL(action, page.url), { method: "POST", body, headers });
      expect(answer.status).toBe(303);
      return new URL(answer.headers.get("location") ?? "", page.url);
    };

    test.each<[string, (accountId: string) => Promise<unknown>]>([
      ["revoked_by_operator", (id) => second.sessions.endAll(id, "revoked_by_operator")],
      ["password_reset", (id) => second.sessions.endAll(id, "password_reset")],
      ["password_changed", (id) => second.sessions.endOthers(id, "none", "password_changed")],
    ])("ends with all of the account's sessions (%s), and leads nowhere [ASVS 7.4.1]", async (_, end) => {
      const browser = world.openBrowser();
      const signInPage = await browser.open((await world.apps.notesWeb.begin()).url);
      const resumption = await sendPassword(browser, signInPage);
      await end(await world.accountIdOf(carol.email));
      expect((await browser.open(resumption)).status).toBe(400);
      const { url } = await browser.open((await world.apps.notesWeb.begin({ prompt: "none" })).url);
      expect(url.searchParams.get("error")).toBe("login_required");
    });

    test("ends also where it confirmed who was signed in already", async () => {
      const browser = world.openBrowser();
      const [first, confirming] = [await world.apps.notesWeb.begin(), await world.apps.notesWeb.begin()];
      const waiting = await browser.open(confirming.url);
      await browser.open(await sendPassword(browser, await browser.open(first.url)));
      const resumption = await sendPassword(browser, waiting);
      await second.sessions.endAll(await world.accountIdOf(carol.email), "ended_by_operator");
      expect((await browser.open(resumption)).status).toBe(400);
    });
  });

  test("ending everything of a person ends nothing of another, and signing in again at once works", async () => {
    const [one, two, bobs] = [await signIn(), await signIn(), await signIn(bob)];
    await second.sessions.endAll(accountIdOf(one), "ended_by_operator");
    const again = await signIn();
    for (const ended of [one, two]) expect(await accessOf(ended)).toEqual(NOTHING);
    for (const living of [bobs, again]) expect(await accessOf(living)).toEqual(EVERYTHING);
  });

  test("a consent that is withdrawn takes the app's access, on every device, and no session", async () => {
    const [one, two, bobs] = [await signIn(), await signIn(), await signIn(bob)];
    await second.sessions.withdrawConsent(accountIdOf(one), "shopWeb");
    const withoutShop = { ...NOTHING, cookie: true };
    for (const ended of [one, two]) expect(await accessOf(ended)).toEqual(withoutShop);
    expect(await accessOf(bobs)).toEqual(EVERYTHING);
    const asked = await one.browser.open((await world.apps.shopWeb.begin(FOR_ORDERS)).url);
    expect(asked.text).toContain("Allow");
  });

  test("a refresh token that is used twice takes the app's access in that session, which the person can see", async () => {
    const [robbed, other] = [await signIn(), await signIn()];
    const { shopWeb } = world.apps;
    const next = await shopWeb.refresh(robbed.tokens.refreshToken);
    const last = await shopWeb.refresh(next.refreshToken);
    expect(await errorOf(shopWeb.refresh(robbed.tokens.refreshToken))).toBe("invalid_grant");
    expect(await errorOf(shopWeb.refresh(last.refreshToken))).toBe("invalid_grant");
    expect(await accessOf(robbed)).toEqual({ ...NOTHING, cookie: true });
    expect(await accessOf(other)).toEqual(EVERYTHING);
    const events = await world.latchkey.audit.list({ type: "refresh_token_reused", limit: 10 });
    expect(events[0]).toMatchObject({
      accountId: accountIdOf(robbed),
      clientId: "shopWeb",
      sessionId: robbed.sessionId,
    });
  });

  test("a secret that got out is rotated with all that was granted with it", async () => {
    const { deskBasic, notesWeb } = world.apps;
    const browser = world.openBrowser();
    const [desk, notes] = [await deskBasic.signIn(browser, bob), await notesWeb.signIn(browser, bob)];
    await world.latchkey.clients.rotateSecret("deskBasic", "revoke");
    expect(await errorOf(deskBasic.refresh(desk.refreshToken))).toBe("invalid_client");
    expect(await errorOf(deskBasic.userInfo(desk.accessToken, desk.claims.sub))).toBe("invalid_token");
    await expect(notesWeb.refresh(notes.refreshToken)).resolves.toBeDefined();
    expect(await countRevocations("client", "deskBasic")).toBe(1);
  });

  test("a removed client's tokens are revoked", async () => {
    const { latchkey } = world;
    const { id } = await addService(latchkey, { ...ordersService, id: "shortLived" });
    await latchkey.clients.removeClient(id);
    expect(await countRevocations("client", id)).toBe(1);
  });

  test("a person sees where they are signed in, since when and for what", async () => {
    const made = await signIn(bob);
    const sessions = await second.sessions.list(accountIdOf(made));
    const session = sessions.find(({ id }) => id === made.sessionId);
    expect(session).toMatchObject({
      device: "Firefox on Linux",
      address: "127.0.0.1",
      amr: ["pwd"],
      begunBy: "shopWeb",
      clientIds: ["shopWeb"],
      audiences: ["https://orders.example.com"],
    });
    const lastUsedAt = session?.lastUsedAt.getTime() ?? 0;
    expect(Math.abs(lastUsedAt - Date.now())).toBeLessThan(30_000);
  });

  test("a disabled account is dead on every node, with what was given for longer [ASVS 7.4.2]", async () => {
    const made = await signIn(mallory);
    const { shopWeb } = world.apps;
    const offline = await shopWeb.signIn(made.browser, mallory, {
      scope: "openid offline_access orders:read",
      prompt: "consent",
    });
    await signOutAtAccount(made);
    await expect(shopWeb.refresh(offline.refreshToken)).resolves.toBeDefined();
    await second.accounts.disable(accountIdOf(made));
    expect(await countRevocations("account", accountIdOf(made))).toBe(1);
    expect(await accessOf(made)).toEqual(NOTHING);
    expect(await errorOf(shopWeb.refresh(offline.refreshToken))).toBe("invalid_grant");
  });
});
