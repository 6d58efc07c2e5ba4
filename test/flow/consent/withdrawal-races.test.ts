import { sql } from "kysely";
import { afterAll, beforeAll, expect, test } from "vitest";
import { alice } from "../../support/cast.ts";
import { errorOf } from "../../support/relying-party.ts";
import { createWorld, type World } from "../../support/world.ts";

const FOR_ORDERS = { scope: "openid orders:read" };
let world: World;
beforeAll(async () => {
  world = await createWorld({ stores: "postgres" });
});
afterAll(() => world.close());

test("a consent that is withdrawn while a silent sign-in is about to use it is withdrawn from that, too", async () => {
  const { notesWeb, shopWeb } = world.apps;
  const { db } = world.latchkey.database;
  const accountId = await world.accountIdOf(alice.email);
  await shopWeb.signIn(world.openBrowser(), alice, FOR_ORDERS);
  const browser = world.openBrowser();
  await notesWeb.signIn(browser, alice);
  const sessions = await world.latchkey.sessions.list(accountId);
  const id = sessions.find(({ begunBy }) => begunBy === "notesWeb")?.id ?? "none";
  const request = await shopWeb.begin({ ...FOR_ORDERS, prompt: "none" });

  const transaction = await db.startTransaction().execute();
  await sql`select 1 from oidc_state where key = ${`lk:{${id}}`} for update`.execute(transaction);
  const signingIn = browser.open(request.url);
  // It has read that the person allowed the app, and waits to write what it makes of that.
  await expect.poll(() => countWaiting(), { interval: 5, timeout: 5_000 }).toBe(1);
  const { isComplete } = await world.latchkey.sessions.withdrawConsent(accountId, "shopWeb");
  expect(isComplete).toBe(true);
  await transaction.rollback().execute();

  const { url } = await signingIn;
  expect(url.searchParams.has("code")).toBe(true);
  expect(await errorOf(shopWeb.complete(request, url))).toBe("invalid_grant");

  async function countWaiting(): Promise<number> {
    const { rows } = await sql<{ pid: number }>`
      select pid from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`.execute(db);
    return rows.length;
  }
});
