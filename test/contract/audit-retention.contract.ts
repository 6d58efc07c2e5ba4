import { sql } from "kysely";
import { describe, expect, test } from "vitest";
import { createAudit } from "../../src/audit/index.ts";
import { type AuditScene, openAuditScene } from "./audit-scene.ts";
import type { RevocationGround } from "./revocations.contract.ts";

const DAY_SECONDS = 24 * 60 * 60;
/** As long as the scene keeps events, and a month more: by then the month that they are of is over for as long. */
const KEPT_DAYS = 400 + 31;

/** What becomes of events that are old enough, on every database. */
export function auditRetentionContract(openGround: () => Promise<RevocationGround>): void {
  describe("months that are over for long", () => {
    dropping(openAuditScene(openGround));
  });
  describe("events that lie across the end of a month", () => {
    borders(openAuditScene(openGround));
  });
}

async function countEvents({ db }: AuditScene): Promise<number> {
  const { rows } = await sql<{ count: string }>`select count(*)::text as count from audit_events`.execute(db);
  return Number(rows[0]?.count);
}

function dropping(scene: () => AuditScene): void {
  test("are dropped whole, and the chain is proved from there on", async () => {
    const { chain, chainWith, clock, addSignIns, tampered, db } = scene();
    clock.passSeconds(-KEPT_DAYS * DAY_SECONDS);
    await chain.sweep();
    await addSignIns("old", 5);
    await chain.sealWaiting();
    const early = await chain.exportCheckpoint();
    clock.passSeconds(300 * DAY_SECONDS);
    await chain.sweep();
    await addSignIns("middle", 3);
    await chain.sealWaiting();
    await chain.sweep();
    expect(await countEvents(scene())).toBe(8);
    clock.passSeconds((KEPT_DAYS - 300) * DAY_SECONDS);
    await addSignIns("new", 2);
    await chain.sealWaiting();
    await chain.sweep();
    expect(await countEvents(scene())).toBe(5);
    const since = new Date(clock.nowMs() - 400 * DAY_SECONDS * 1_000);
    const eventsSince = new Date(Date.UTC(since.getUTCFullYear(), since.getUTCMonth())).toISOString();
    expect(await chain.verify()).toMatchObject({
      verdict: "intact",
      begins: { position: "5", eventsSince },
      events: 5,
    });
    expect(await chain.verify(early)).toMatchObject({ verdict: "intact", checkpoint: "matches" });
    expect((await chain.readSealed({ limit: 10 })).events.map(({ accountId }) => accountId)).toEqual([
      ...Array.from({ length: 3 }, () => "middle"),
      ...Array.from({ length: 2 }, () => "new"),
    ]);
    const { rows } = await sql<{ count: string }>`
      select count(*)::text as count from audit_checkpoints where position < 5`.execute(db);
    expect(rows[0]?.count).toBe("0");
    // Nothing is dropped twice, and nothing comes of looking again.
    await chain.sweep();
    expect(await chain.verify()).toMatchObject({ begins: { position: "5" } });

    const cutFurther =
      "delete from audit_events where account_id = 'middle'; delete from audit_seals where position < 9";
    const tries: readonly (readonly [string, object])[] = [
      [cutFurther, { kind: "removed", position: "6" }],
      ["delete from audit_checkpoints where kind = 'anchor'", { kind: "removed", position: "1" }],
      ["update audit_checkpoints set signature = '\\x00' where kind = 'anchor'", { kind: "forged" }],
      [
        `${cutFurther}; update audit_checkpoints set statement = replace(statement, '"position":"5"', '"position":"8"') where kind = 'anchor'`,
        { kind: "forged" },
      ],
      [
        "delete from audit_checkpoints where kind = 'anchor'; update audit_checkpoints set kind = 'anchor'",
        { kind: "forged" },
      ],
    ];
    for (const [statements, found] of tries) {
      expect(await tampered(statements, (its) => its.verify()), statements).toMatchObject({ break: found });
    }
    // A key that takes the place of one that was lost signs where the chain begins as well.
    const after = chainWith({ secrets: ["n".repeat(40)] });
    await after.replaceKey();
    expect(await after.verify(early)).toMatchObject({
      verdict: "intact",
      begins: { position: "5", eventsSince },
      checkpoint: "matches",
    });
  });
}

function borders(scene: () => AuditScene): void {
  test("keep their proof: what was sealed late, and what came by a clock that was ahead", async () => {
    const { chain, clock, db, addSignIns } = scene();
    const now = clock.nowMs();
    clock.passSeconds(-KEPT_DAYS * DAY_SECONDS);
    await chain.sweep();
    await addSignIns("early", 2);
    await chain.sealWaiting();
    // Sealed when its month has long been over.
    await addSignIns("late", 1);
    clock.passSeconds(100 * DAY_SECONDS);
    await chain.sweep();
    await chain.sealWaiting();
    await addSignIns("middle", 1);
    // Sealed before its month has begun.
    const ahead = createAudit({ db, clock: { nowMs: () => now - DAY_SECONDS * 1_000 } });
    await ahead.append(db, { type: "session_started", accountId: "ahead" });
    await chain.sealWaiting();
    clock.passSeconds((KEPT_DAYS - 100) * DAY_SECONDS);
    await addSignIns("new", 1);
    await chain.sealWaiting();
    await chain.sweep();
    expect(await chain.verify()).toMatchObject({ verdict: "intact", begins: { position: "2" }, events: 3 });
    clock.passSeconds(110 * DAY_SECONDS);
    await chain.sweep();
    // What was sealed with "middle" covers "ahead", which is kept yet.
    expect(await chain.verify()).toMatchObject({ verdict: "intact", begins: { position: "2" }, events: 2 });
    clock.passSeconds(KEPT_DAYS * DAY_SECONDS);
    await chain.sweep();
    expect(await countEvents(scene())).toBe(0);
    expect(await chain.verify()).toMatchObject({ verdict: "intact", begins: { position: "6" }, events: 0 });
    await addSignIns("begun anew", 1);
    await chain.sealWaiting();
    expect(await chain.verify()).toMatchObject({ verdict: "intact", proved: { position: "7" }, events: 1 });
  });
}
