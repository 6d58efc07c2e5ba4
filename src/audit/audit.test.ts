import { sql } from "kysely";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Clock } from "../core/index.ts";
import type { Database } from "../storage/index.ts";
import { openTestEmbedded } from "../../test/support/stores.ts";
import { type Audit, AUDIT_EVENTS, createAudit } from "./index.ts";

const NOW_MS = Date.UTC(2026, 0, 2, 3, 4, 5);
const clock: Clock = { nowMs: () => NOW_MS };

let database: Database;
let audit: Audit;

beforeAll(async () => {
  database = await openTestEmbedded();
  audit = createAudit({ db: database.db, clock });
}, 30_000);

afterAll(async () => {
  await database.close();
});

describe("the audit log", () => {
  test("keeps every field of an event and the time of the clock [ASVS 16.2.1]", async () => {
    const event = {
      type: "sign_in_failed",
      accountId: "alice-1",
      clientId: "shopWeb",
      sessionId: "session-1",
      requestId: "request-1",
      address: "192.0.2.7",
      data: { reason: "wrong_password", methods: ["pwd"], attempt: 3 },
    } as const;
    const facts = { actor: "visitor", outcome: "denied", device: undefined };
    await audit.append(database.db, event);
    expect(await audit.list({ accountId: "alice-1", limit: 10 })).toEqual([
      { ...event, ...facts, id: expect.stringMatching(/^\d+$/), occurredAt: new Date(NOW_MS) },
    ]);
  });

  test("lists the newest first, by account and by type, as many as asked for", async () => {
    for (const type of ["account_registered", "sign_in_failed", "sign_in_succeeded", "sign_in_failed"] as const) {
      await audit.append(database.db, { type, accountId: "bob-1" });
    }
    const types = async (filter: Parameters<Audit["list"]>[0]) => (await audit.list(filter)).map(({ type }) => type);
    expect(await types({ accountId: "bob-1", limit: 3 })).toEqual([
      "sign_in_failed",
      "sign_in_succeeded",
      "sign_in_failed",
    ]);
    expect(await types({ accountId: "bob-1", type: "account_registered", limit: 3 })).toEqual(["account_registered"]);
  });

  test("goes on where a page ended, within a time and some types", async () => {
    for (const type of ["sign_in_failed", "session_started", "session_ended", "session_started"] as const) {
      await audit.append(database.db, { type, accountId: "carol-1" });
    }
    const first = await audit.list({ accountId: "carol-1", limit: 2 });
    const rest = await audit.list({ accountId: "carol-1", limit: 9, before: first.at(-1)?.id });
    expect([...first, ...rest].map(({ type }) => type)).toEqual([
      "session_started",
      "session_ended",
      "session_started",
      "sign_in_failed",
    ]);
    expect(await audit.list({ accountId: "carol-1", limit: 9, before: rest.at(-1)?.id })).toEqual([]);
    const types = ["session_started", "session_ended"] as const;
    expect(await audit.list({ accountId: "carol-1", limit: 9, types })).toHaveLength(3);
    expect(await audit.list({ accountId: "carol-1", limit: 9, since: new Date(NOW_MS) })).toHaveLength(4);
    expect(await audit.list({ accountId: "carol-1", limit: 9, since: new Date(NOW_MS + 1) })).toEqual([]);
  });

  test.each(["", "x", "-1", "1.5", "1".repeat(19)])("a page cannot begin at %j", async (before) => {
    await expect(audit.list({ limit: 1, before })).rejects.toMatchObject({ code: "INPUT_INVALID" });
  });

  test("an event with nothing but its type has no other field", async () => {
    await audit.append(database.db, { type: "signing_key_created" });
    const [stored] = await audit.list({ type: "signing_key_created", limit: 1 });
    expect(stored).toMatchObject({ type: "signing_key_created", data: {} });
    expect(stored?.accountId).toBeUndefined();
  });

  test("an event is gone with the transaction that it belongs to", async () => {
    const failed = database.db.transaction().execute(async (tx) => {
      await audit.append(tx, { type: "client_created", clientId: "billingApi" });
      throw new Error("the change failed");
    });
    await expect(failed).rejects.toThrow("the change failed");
    expect(await audit.list({ type: "client_created", limit: 1 })).toEqual([]);
  });

  test.each(["update audit_events set address = null", "delete from audit_events"])(
    "the database refuses to %s [ASVS 16.4.2]",
    async (statement) => {
      await audit.append(database.db, { type: "session_started" });
      await expect(sql.raw(statement).execute(database.db)).rejects.toThrow("append-only");
    },
  );

  test("data of 4 KiB is kept and one byte more is refused", async () => {
    const event = (bytes: number) => ({ type: "client_changed", data: { note: "x".repeat(bytes - 11) } }) as const;
    await audit.append(database.db, event(4 * 1024));
    await expect(audit.append(database.db, event(4 * 1024 + 1))).rejects.toThrow("too large");
  });

  test.each([0, -1, 1.5, 1_001])("a list of %d events is refused", async (limit) => {
    await expect(audit.list({ limit })).rejects.toMatchObject({ code: "INPUT_INVALID" });
  });

  test("every event of the catalogue is described in a sentence", () => {
    for (const [type, description] of Object.entries(AUDIT_EVENTS)) {
      expect(type).toMatch(/^[a-z]+(_[a-z]+)+$/);
      expect(description).toMatch(/^[A-Z].*\.$/);
    }
  });
});
