import { sql } from "kysely";
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from "vitest";
import type { Browser, Page } from "../../support/browser.ts";
import { type Cable, layCable } from "../../support/cable.ts";
import { alice } from "../../support/cast.ts";
import { createTestDatabase, createTestRedis } from "../../support/stores.ts";
import { createWorld, type World } from "../../support/world.ts";

const COMPLETED_MS_MAX = 10_000;

let world: World;
let postgres: Cable;
let redis: Cable;

beforeEach(async () => {
  const [database, testRedis] = await Promise.all([createTestDatabase(), createTestRedis()]);
  [postgres, redis] = [await layCable(database.url), await layCable(testRedis.url)];
  const opened = await createWorld({
    stores: "redis",
    settings: { DATABASE_URL: postgres.url, REDIS_URL: redis.url },
  });
  world = opened;
  onTestFinished(async () => {
    await opened.close();
    await Promise.all([postgres.close(), redis.close()]);
    await Promise.all([database.drop(), testRedis.drop()]);
  });
});
afterEach(async () => {
  await postgres.mend();
  await redis.mend();
});

async function openSignOut(browser: Browser, idToken: string): Promise<Page> {
  const url = new URL(world.server.end_session_endpoint ?? "");
  url.searchParams.set("id_token_hint", idToken);
  return browser.open(url);
}

describe("a sign-out", () => {
  test("while postgres is away is answered with 503 and changes nothing; the next one is a whole one", async () => {
    const { notesWeb } = world.apps;
    const browser = world.openBrowser();
    const tokens = await notesWeb.signIn(browser, alice);
    const page = await openSignOut(browser, tokens.idToken);
    await postgres.cut();
    const failed = await browser.submit(page, page.formWith("xsrf"), { button: /^Sign out$/ });
    expect(failed.status).toBe(503);
    await postgres.mend();
    const refreshed = () => notesWeb.requestRefresh(tokens.refreshToken);
    await expect.poll(async () => (await refreshed()).status, { timeout: COMPLETED_MS_MAX }).toBe(200);
    const again = await openSignOut(browser, tokens.idToken);
    await browser.submit(again, again.formWith("xsrf"), { button: /^Sign out$/ });
    expect((await refreshed()).status).toBe(400);
  });
});

describe("what an operator ends while redis is away", () => {
  test("is told to everybody at once, and is gone as soon as redis answers, without anybody's doing", async () => {
    const { notesWeb } = world.apps;
    const browser = world.openBrowser();
    const tokens = await notesWeb.signIn(browser, alice);
    const { sessions, database } = world.latchkey;
    await redis.cut();
    const result = await sessions.endAll(tokens.claims.sub, "ended_by_operator");
    expect(result).toMatchObject({ endedIds: [expect.any(String)], isComplete: false });
    const { rows } = await sql`
      select audiences from revocations where kind = 'session' and value = ${result.endedIds[0]}`.execute(database.db);
    expect(rows).toEqual([{ audiences: null }]);
    await redis.mend();
    const isSignedIn = async (): Promise<boolean> => {
      const { url, status } = await browser.open((await notesWeb.begin({ prompt: "none" })).url);
      return status !== 200 || url.searchParams.has("code");
    };
    await expect.poll(isSignedIn, { timeout: COMPLETED_MS_MAX }).toBe(false);
    expect((await notesWeb.requestRefresh(tokens.refreshToken)).status).toBe(400);
  });
});
