import { sql } from "kysely";
import { expect, onTestFinished, test } from "vitest";
import { createTestAccounts, freshAddress, PASSWORD } from "../../src/accounts/accounts-fixture.ts";
import type { ConfirmationMails } from "../../src/accounts/index.ts";
import type { Db } from "../../src/storage/index.ts";
import { addAccount, openPostgresGround } from "./grounds.ts";
import { createNode, signIn } from "./library.ts";

const ALICE = "kR3vVb7mSTy0Hq2Ck9yW5Q";
const SESSIONS = 20;
const ROUNDS = 10;
/** Small letters before capital ones, as most systems have it, and not code unit by code unit, as our other tests. */
const AS_A_DICTIONARY = "template template0 encoding 'UTF8' locale_provider icu icu_locale 'en-US' locale 'C'";

test("endings of one account do not wait for each other in a circle, however the database sorts", async () => {
  const ground = await openPostgresGround(AS_A_DICTIONARY);
  onTestFinished(() => ground.close());
  const [near, far] = [await ground.connect(), await ground.connect()];
  const [node, other] = [createNode(ground, near), createNode(ground, far)];
  await addAccount(near.db, ALICE);
  for (let round = 0; round < ROUNDS; round += 1) {
    for (let made = 0; made < SESSIONS; made += 1) await signIn(node, { accountId: ALICE, clientIds: ["shopWeb"] });
    const endings = [
      node.sessions.withdrawConsent(ALICE, "shopWeb"),
      other.sessions.endAll(ALICE, "ended_by_operator"),
    ];
    const results = await Promise.allSettled(endings);
    expect(results.filter(({ status }) => status === "rejected")).toEqual([]);
  }
});

test("two links for a new password, used at once, do not wait for each other in a circle", async () => {
  const ground = await openPostgresGround();
  onTestFinished(() => ground.close());
  const { db } = await ground.connect();
  const tokens: string[] = [];
  const enqueue: ConfirmationMails["enqueue"] = async (_, { variables }) => void tokens.push(variables.token ?? "");
  const { accounts } = createTestAccounts(db, { mails: { isConfigured: true, enqueue } });
  const email = "nora@example.com";
  const { id } = await accounts.register({ email, name: "Nora North", password: PASSWORD }, "operator");
  const { passwordReset } = accounts.byMail;
  const source = { address: freshAddress() };
  for (let asked = 0; asked < 2; asked += 1)
    await passwordReset.begin({ email, locale: undefined, source, origin: {} });
  const needsFactor = async () => false;
  const resets = await db.transaction().execute(async (tx) => {
    await sql`select id from accounts where id = ${id} for update`.execute(tx);
    const underWay = tokens.map((token) =>
      passwordReset.complete(token, { password: `${PASSWORD} too`, source, needsFactor }),
    );
    const settled = Promise.allSettled(underWay);
    await expect.poll(() => countWaiting(db), { timeout: 10_000, interval: 10 }).toBe(2);
    return { settled };
  });
  const results = await resets.settled;
  const refusals = results.filter((result) => result.status === "rejected").map(({ reason }) => reason as unknown);
  expect(refusals).toEqual([expect.objectContaining({ code: "CONFIRMATION_OVER" })]);
});

async function countWaiting(db: Db): Promise<number> {
  const { rows } = await sql`
    select pid from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`.execute(db);
  return rows.length;
}
