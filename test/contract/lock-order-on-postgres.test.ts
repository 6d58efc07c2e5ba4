import { expect, onTestFinished, test } from "vitest";
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
