import type { ServerResponse } from "node:http";
import { decodeJwt } from "jose";
import { sql } from "kysely";
import { afterAll, afterEach, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import type { Browser, Page } from "../../support/browser.ts";
import { alice, bob, type Person } from "../../support/cast.ts";
import { startNode, type Stores } from "../../support/latchkey.ts";
import { LogoutReceiver } from "../../support/logout-receiver.ts";
import type { RelyingParty, Tokens } from "../../support/relying-party.ts";
import { freePort } from "../../support/servers.ts";
import { startTimeTravel } from "../../support/time-travel.ts";
import { createWorld, type World } from "../../support/world.ts";

/** What becomes so in its own time, on a busy machine too. */
function eventually<Value>(look: () => Value) {
  return expect.poll(look, { timeout: 10_000, interval: 10 });
}

/** Apps that want to be told; the last one cannot tell sessions apart. */
const TOLD = ["toldWeb", "slowWeb", "personWeb"] as const;
type ToldApp = (typeof TOLD)[number];

let world: World;
let receiver: LogoutReceiver;
let apps: Readonly<Record<ToldApp, RelyingParty>>;

async function open(stores: Stores): Promise<void> {
  world = await createWorld({ stores, settings: { OUTBOUND_ALLOWED_NETWORKS: "127.0.0.1" } });
  receiver = await new LogoutReceiver(world.latchkey.issuer).listen();
  const redirectUriOf = (id: ToldApp): string => `https://notes.example.com/${id}`;
  for (const id of TOLD) {
    await world.latchkey.clients.addClient({
      id,
      name: id,
      isFirstParty: true,
      redirectUris: [redirectUriOf(id)],
      backchannelLogoutUri: receiver.uriOf(id),
      ...(id === "personWeb" ? { backchannelLogoutSessionRequired: false } : {}),
      ...(id === "slowWeb" ? { idTokenAlgorithm: "ES256" } : {}),
    });
  }
  const appOf = (id: ToldApp): RelyingParty => world.appOf({ clientId: id, redirectUri: redirectUriOf(id) });
  apps = { toldWeb: appOf("toldWeb"), slowWeb: appOf("slowWeb"), personWeb: appOf("personWeb") };
}

afterEach(() => {
  const faults = receiver.faults.splice(0);
  if (faults.length > 0) throw new Error(`an app found fault with its logout token: ${faults.join("; ")}`);
  receiver.tokens.length = 0;
  for (const id of TOLD) receiver.answer(id, (response) => void response.end());
});

async function close(): Promise<void> {
  await world.close();
  await receiver.close();
}

async function signIn(
  ids: readonly ToldApp[],
  person: Person = alice,
): Promise<{ browser: Browser; tokens: readonly Tokens[] }> {
  const browser = world.openBrowser();
  const tokens: Tokens[] = [];
  for (const id of ids) tokens.push(await apps[id].signIn(browser, person));
  return { browser, tokens };
}

async function signOut(browser: Browser): Promise<Page> {
  const account = await browser.open(`${world.latchkey.issuer}/account`);
  return await browser.submit(account, account.formWith("csrf"));
}

/** For how many seconds what waits was put off; a try that is under way has the length of its lease. */
async function listPauses(): Promise<readonly number[]> {
  const { rows } = await sql<{ due_at: Date }>`select due_at from back_channel_logouts`.execute(
    world.latchkey.database.db,
  );
  return rows.map((row) => Math.ceil((row.due_at.getTime() - Date.now()) / 1000));
}

function sidOf(tokens: Tokens | undefined): string | undefined {
  const { sid } = decodeJwt(tokens?.idToken ?? "");
  return typeof sid === "string" ? sid : undefined;
}

describe.each<Stores>(["redis", "postgres", "embedded"])("back-channel logout on %s", (stores) => {
  beforeAll(() => open(stores));
  afterAll(close);

  test("discovery says that it is there, with sessions", async () => {
    expect(world.server).toMatchObject({
      backchannel_logout_supported: true,
      backchannel_logout_session_supported: true,
    });
  });

  test("an ID token names the session to an app that is told of sessions, and to no other", async () => {
    const { browser, tokens } = await signIn(["toldWeb", "personWeb"]);
    const { idToken } = await world.apps.notesWeb.signIn(browser, alice);
    expect(sidOf(tokens[0])).toMatch(/^[\w-]{16}$/);
    expect(sidOf(tokens[1])).toBeUndefined();
    expect(decodeJwt(idToken)["sid"]).toBeUndefined();
    const refreshed = await apps.toldWeb.refresh(tokens[0]?.refreshToken ?? "");
    expect(sidOf(refreshed)).toBe(sidOf(tokens[0]));
  });

  test("a sign-out is told to every app of the session, each as it signed up for it [ASVS 7.4.1]", async () => {
    const { browser, tokens } = await signIn(TOLD);
    await signOut(browser);
    await eventually(() => receiver.tokens.length).toBe(3);
    const sub = tokens[0]?.claims.sub;
    const [told, slow, person] = TOLD.map((id) => receiver.tokensOf(id)[0]);
    expect(told).toMatchObject({ sub, sid: sidOf(tokens[0]), algorithm: "RS256" });
    expect(slow).toMatchObject({ sub, sid: sidOf(tokens[0]), algorithm: "ES256" });
    expect(person).toMatchObject({ sub, sid: undefined });
  });

  test("a sign-out that another app asked for is told as well", async () => {
    const { browser, tokens } = await signIn(["toldWeb"]);
    const notes = await world.apps.notesWeb.signIn(browser, alice);
    const url = new URL(world.server.end_session_endpoint ?? "");
    url.searchParams.set("id_token_hint", notes.idToken);
    const page = await browser.open(url);
    await browser.submit(page, page.formWith("xsrf"), { button: /^Sign out$/ });
    await eventually(() => receiver.tokensOf("toldWeb").map(({ sid }) => sid)).toEqual([sidOf(tokens[0])]);
  });

  test("disabling an account tells the apps of all its sessions, and of nobody else's", async () => {
    const sessions = [await signIn(["toldWeb"], bob), await signIn(["toldWeb"], bob)];
    const { browser } = await signIn(["toldWeb"], alice);
    const accountId = await world.accountIdOf(bob.email);
    await world.latchkey.accounts.disable(accountId);
    onTestFinished(() => void world.latchkey.accounts.enable(accountId));
    await eventually(() => new Set(receiver.tokens.map(({ sid }) => sid))).toEqual(
      new Set(sessions.map(({ tokens }) => sidOf(tokens[0]))),
    );
    expect(receiver.tokens).toHaveLength(2);
    await signOut(browser);
    await eventually(() => receiver.tokens.length).toBe(3);
  });

  test("an app that hangs delays neither the person nor the other apps", async () => {
    const hanging: ServerResponse[] = [];
    receiver.answer("slowWeb", (response) => void hanging.push(response));
    onTestFinished(() => hanging.forEach((response) => response.end()));
    const { browser } = await signIn(["slowWeb", "toldWeb"]);
    const left = await signOut(browser);
    expect(left.heading).toBe("You’re signed out");
    await eventually(() => receiver.tokens.length).toBe(2);
    // Who hangs has a place or two, and the next one is told all the same.
    await signOut((await signIn(["toldWeb"])).browser);
    await eventually(() => receiver.tokensOf("toldWeb").length).toBe(2);
    expect(hanging.map(({ writableEnded }) => writableEnded)).toEqual([false]);
  });

  test("an app that is away is told when it is back, with a token of that moment", async () => {
    const time = startTimeTravel();
    receiver.answer("toldWeb", (response) => void response.writeHead(503).end());
    const { browser } = await signIn(["toldWeb"]);
    await signOut(browser);
    await eventually(listPauses).toEqual([5]);
    receiver.answer("toldWeb", (response) => void response.writeHead(204).end());
    time.advanceSeconds(6);
    await eventually(() => receiver.tokens.length).toBe(2);
    const [first, second] = receiver.tokens;
    expect(second?.claims.iat).toBeGreaterThanOrEqual((first?.claims.iat ?? 0) + 5);
    expect(second?.sid).toBe(first?.sid);
    time.advanceSeconds(3_600);
    await signOut((await signIn(["slowWeb"])).browser);
    await eventually(() => receiver.tokensOf("slowWeb").length).toBe(1);
    expect(receiver.tokensOf("toldWeb")).toHaveLength(2);
  });
});

describe.each<Stores>(["redis", "postgres"])("back-channel logout of two nodes on %s", (stores) => {
  beforeAll(() => open(stores));
  afterAll(close);

  test.skipIf(stores === "embedded")(
    "of two nodes one tells, also when the one that ended the session stops",
    async () => {
      const node = await startNode({ settings: { ...world.latchkey.settings, PORT: String(await freePort()) } });
      onTestFinished(() => node.close());
      const browsers = await Promise.all(Array.from({ length: 5 }, async () => (await signIn(TOLD)).browser));
      await Promise.all(browsers.map((browser) => signOut(browser)));
      await eventually(() => receiver.tokens.length).toBe(browsers.length * TOLD.length);
      await node.close();
      const { browser } = await signIn(["toldWeb"]);
      await signOut(browser);
      await eventually(() => receiver.tokens.length).toBe(browsers.length * TOLD.length + 1);
      const told = receiver.tokens.map(({ clientId, sid, sub }) => `${clientId} ${sid ?? sub}`);
      expect(new Set(told.filter((text) => !text.startsWith("personWeb"))).size).toBe(browsers.length * 2 + 1);
    },
  );
});
