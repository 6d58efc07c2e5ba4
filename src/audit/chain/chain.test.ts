import { afterAll, beforeAll, expect, test } from "vitest";
import { createKeySeals, systemClock } from "../../core/index.ts";
import { openTestEmbedded } from "../../../test/support/stores.ts";
import type { Database } from "../../storage/index.ts";
import { createAudit } from "../audit.ts";
import { createAuditChain } from "./chain.ts";

let database: Pick<Database, "db"> & { close(): Promise<void> };
beforeAll(async () => {
  database = await openTestEmbedded();
}, 60_000);
afterAll(() => database.close());

test("what is appended is sealed once, in the order in which it came", async () => {
  const { db } = database;
  const audit = createAudit({ db, clock: systemClock, currentDevice: () => "Firefox on Linux" });
  const chain = createAuditChain({
    db,
    clock: systemClock,
    seals: createKeySeals(["s".repeat(40)], "audit-key"),
    issuer: "https://id.example.com",
  });
  for (let i = 0; i < 1_300; i += 1) {
    await audit.append(db, { type: "session_started", accountId: `a${i}`, address: "192.0.2.7" });
  }
  expect(await chain.sealWaiting()).toBe(1_300);
  expect(await chain.sealWaiting()).toBe(0);
  expect(await chain.readPosition()).toBe("1300");
  const page = await chain.readSealed({ limit: 1_000 });
  expect(page.position).toBe("1000");
  expect(page.events[0]).toMatchObject({ accountId: "a0", position: "1", device: "Firefox on Linux", actor: "person" });
  expect((await chain.readSealed({ after: page.position, limit: 1_000 })).events.at(-1)?.accountId).toBe("a1299");
});
