import { sql } from "kysely";
import { beforeAll, describe, expect, test } from "vitest";
import {
  CHAINED_EVENT,
  type ChainedEvent,
  digestEvent,
  digestPersonal,
  hashLink,
  microseconds,
} from "../../src/audit/chain/digests.ts";
import type { Db } from "../../src/storage/index.ts";
import { type AuditScene, openAuditScene } from "./audit-scene.ts";
import type { RevocationGround } from "./revocations.contract.ts";

const EVENTS = 12;
/** Transactions of other tests have to be over first, in whichever database of the cluster. */
const SETTLED = { timeout: 30_000 };

/** The chain of the audit log, on every database. */
export function auditChainContract(openGround: () => Promise<RevocationGround>): void {
  describe("the order", () => {
    order(openAuditScene(openGround));
  });
  describe("sealing", () => {
    sealing(openAuditScene(openGround));
  });
  describe("tampering", () => {
    tampering(openAuditScene(openGround));
  });
  describe("going back", () => {
    cuttingOff(openAuditScene(openGround));
  });
  describe("a person who was deleted", () => {
    erasure(openAuditScene(openGround));
  });
}

function order(scene: () => AuditScene): void {
  test("gives each event one place, in the order in which they came, with all that is known of it [ASVS 16.2.1]", async () => {
    const { chain, audit, db, addSignIns } = scene();
    await addSignIns("alice", 1_200);
    await audit.append(db, { type: "signing_key_rotated", data: { kid: "k1", cause: "operator" } });
    expect(await chain.sealWaiting()).toBe(1_201);
    expect(await chain.sealWaiting()).toBe(0);
    expect(await chain.readPosition()).toBe("1201");
    const first = await chain.readSealed({ limit: 1_000 });
    expect(first.position).toBe("1000");
    expect(first.events.map(({ position }) => Number(position))).toEqual(
      Array.from({ length: 1_000 }, (_, at) => at + 1),
    );
    expect(first.events[0]).toMatchObject({
      type: "sign_in_succeeded",
      actor: "person",
      outcome: "succeeded",
      accountId: "alice",
      address: "192.0.2.0",
      device: "Firefox on Linux",
      requestId: "r0",
    });
    const rest = await chain.readSealed({ after: first.position, limit: 1_000 });
    expect(rest.events).toHaveLength(201);
    expect(rest.events.at(-1)).toMatchObject({ type: "signing_key_rotated", actor: "operator", position: "1201" });
    expect(await chain.readSealed({ after: "1201", limit: 10 })).toEqual({ events: [], position: "1201" });
    expect(await chain.verify()).toMatchObject({ verdict: "intact", events: 1_201, waiting: 0 });
  });
}

function sealing(scene: () => AuditScene): void {
  test("leaves out what came to nothing, and is at rest afterwards", async () => {
    const { chain, audit, db, addSignIns } = scene();
    const before = Number(await chain.readPosition());
    const failing = db.transaction().execute(async (tx) => {
      await audit.append(tx, { type: "client_created", clientId: "billing" });
      throw new Error("the change failed");
    });
    await expect(failing).rejects.toThrow("the change failed");
    await addSignIns("bob", 1);
    expect(await chain.sealWaiting()).toBe(1);
    await expect.poll(() => countWhatIsLeft(scene()), SETTLED).toBe(0);
    expect(Number(await chain.readPosition())).toBe(before + 1);
    expect(await chain.readBacklog()).toMatchObject({ waiting: 0, oldestSeconds: 0 });
    expect((await chain.readBacklog()).monthsAhead).toBeGreaterThan(1);
  });

  test("says how far it is behind", async () => {
    const { chain, clock, addSignIns } = scene();
    await addSignIns("carol", 3);
    clock.passSeconds(90);
    expect(await chain.readBacklog()).toMatchObject({ waiting: 3, oldestSeconds: 90 });
    expect(await chain.verify()).toMatchObject({ verdict: "intact", waiting: 3 });
    await chain.sealWaiting();
    expect(await chain.readBacklog()).toMatchObject({ waiting: 0 });
  });

  test("is done with its signature, or not at all", async () => {
    const { chain, db, addSignIns } = scene();
    await addSignIns("dave", 2);
    const before = await chain.readPosition();
    await sql`alter table audit_checkpoints add constraint full_disk check (position < 0) not valid`.execute(db);
    await expect(chain.sealWaiting()).rejects.toThrow("full_disk");
    expect(await chain.readPosition()).toBe(before);
    expect((await chain.verify()).verdict).toBe("intact");
    await sql`alter table audit_checkpoints drop constraint full_disk`.execute(db);
    expect(await chain.sealWaiting()).toBe(2);
    expect((await chain.verify()).verdict).toBe("intact");
  });

  test("an event of a month that there is no partition for is taken, sealed, and moved to its month", async () => {
    const { chain, audit, clock, db } = scene();
    clock.passSeconds(200 * 24 * 60 * 60);
    await audit.append(db, { type: "session_started", accountId: "erin", address: "192.0.2.9" });
    await chain.sealWaiting();
    const partitionOf = async () =>
      (
        await sql<{ name: string }>`
        select tableoid::regclass::text as name from audit_events where account_id = 'erin'`.execute(db)
      ).rows[0]?.name;
    expect(await partitionOf()).toBe("audit_events_default");
    await chain.sweep();
    expect(await partitionOf()).toMatch(/^audit_events_\d{4}_\d{2}$/);
    await expect(sql`truncate audit_events_default`.execute(db)).rejects.toThrow("append-only");
    expect((await chain.verify()).verdict).toBe("intact");
    clock.passSeconds(-200 * 24 * 60 * 60);
  });

  test.each([
    "update audit_events set type = 'x'",
    "update audit_events set address = null, device = null, personal_salt = null",
    "delete from audit_events",
    "truncate audit_events",
    "update audit_seals set digest = hash",
    "delete from audit_seals",
    "truncate audit_seals",
  ])("the database refuses to %s, and to do so to a partition [ASVS 16.4.2]", async (statement) => {
    const { db, addSignIns, chain } = scene();
    await addSignIns("frank", 1);
    await chain.sealWaiting();
    const table = /audit_\w+/.exec(statement)?.[0] ?? "none";
    const { rows } = await sql<{ name: string }>`
      select tableoid::regclass::text as name from ${sql.table(table)} limit 1`.execute(db);
    const partition = rows[0]?.name ?? table;
    expect(partition).not.toBe(table);
    for (const one of [statement, statement.replace(table, partition)]) {
      await expect(sql.raw(one).execute(db), one).rejects.toThrow("append-only");
    }
  });
}

/** Ids that are not settled yet: looking at them is what a sealer does until it is at rest. */
async function countWhatIsLeft({ chain, db }: AuditScene): Promise<number> {
  await chain.sealWaiting();
  const { rows } = await sql<{ left: string }>`
    select (last_value - settled_id)::text as left from audit_chain, audit_events_id_seq`.execute(db);
  return Number(rows[0]?.left);
}

/** What somebody does to the log who can do everything in the database, and what of it is found, and where. */
const TAMPERED: readonly (readonly [what: string, statements: string, found: object])[] = [
  ["changes an event", "update audit_events set client_id = 'x' where id = 5", { kind: "changed", position: "5" }],
  ["changes its data", `update audit_events set data = '{"a": 1}' where id = 5`, { kind: "changed", position: "5" }],
  ["changes its type", "update audit_events set type = 'x' where id = 12", { kind: "changed", position: "12" }],
  [
    "changes its time by a microsecond",
    "update audit_events set occurred_at = occurred_at + interval '1 microsecond' where id = 5",
    { kind: "removed", position: "5" },
  ],
  [
    "changes an address",
    "update audit_events set address = '203.0.113.1' where id = 5",
    { kind: "changed", position: "5", meaning: expect.stringContaining("address") },
  ],
  [
    "changes a salt",
    "update audit_events set personal_salt = '\\x00' where id = 5",
    { kind: "changed", position: "5" },
  ],
  [
    "takes the salt alone",
    "update audit_events set personal_salt = null where id = 5",
    { kind: "changed", position: "5" },
  ],
  [
    "gives the last event another actor",
    "update audit_events set actor = 'system' where id = 12",
    { kind: "changed", position: "12" },
  ],
  [
    "takes address and device",
    "update audit_events set address = null, device = null, personal_salt = null where id = 5",
    { kind: "erased", eventId: "5" },
  ],
  ["removes an event", "delete from audit_events where id = 1", { kind: "removed", position: "1", eventId: "1" }],
  [
    "removes an event and its seal",
    "delete from audit_events where id = 5; delete from audit_seals where position = 5",
    { kind: "removed", position: "5" },
  ],
  [
    "removes the first of all",
    "delete from audit_events where id <= 3; delete from audit_seals where position <= 3",
    { kind: "removed", position: "1" },
  ],
  ["removes a seal", "delete from audit_seals where position = 5", { kind: "removed", position: "5" }],
  ["removes the last seal", "delete from audit_seals where position = 12", { kind: "removed", position: "12" }],
  [
    "closes the gap that is left",
    "delete from audit_events where id = 5; delete from audit_seals where position = 5; update audit_seals set position = position - 1 where position > 5",
    { kind: "removed", position: "5" },
  ],
  [
    "exchanges two events",
    "update audit_events set id = 100 where id = 5; update audit_events set id = 5 where id = 6; update audit_events set id = 6 where id = 100",
    { position: "5" },
  ],
  [
    "exchanges two seals",
    "update audit_seals set position = 100 where position = 5; update audit_seals set position = 5 where position = 6; update audit_seals set position = 6 where position = 100",
    { kind: "reordered", position: "5" },
  ],
  [
    "lets one event lie in another's place",
    "update audit_seals set event_id = 7, occurred_at = (select occurred_at from audit_events where id = 7) where position = 5",
    { kind: "reordered", position: "5" },
  ],
  [
    "changes a digest",
    "update audit_seals set digest = '\\x00' where position = 5",
    { kind: "changed", position: "5" },
  ],
  ["changes a hash", "update audit_seals set hash = '\\x00' where position = 5", { kind: "changed", position: "5" }],
  [
    "changes when it was sealed",
    "update audit_seals set sealed_at = sealed_at - interval '1 second' where position = 5",
    { kind: "changed", position: "5" },
  ],
  [
    "inserts an event among others",
    "insert into audit_events (id, occurred_at, type) values (0, now(), 'session_started')",
    { kind: "inserted", eventId: "0" },
  ],
  [
    "inserts another event with the same number",
    "insert into audit_events (id, occurred_at, type) values (5, now(), 'session_started')",
    { kind: "inserted", eventId: "5" },
  ],
  [
    "cuts off the tail",
    "delete from audit_events where id > 8; delete from audit_seals where position > 8; update audit_chain set position = 8, hash = (select hash from audit_seals where position = 8)",
    { kind: "cut_off", position: "8" },
  ],
  [
    "cuts off the tail, and the checkpoint",
    "delete from audit_events where id > 8; delete from audit_seals where position > 8; update audit_chain set position = 8, hash = (select hash from audit_seals where position = 8); delete from audit_checkpoints",
    { kind: "unsigned", position: "1" },
  ],
  ["moves the head", "update audit_chain set hash = '\\x00'", { kind: "rewritten" }],
  ["moves the signature", "update audit_checkpoints set position = 11", { kind: "forged" }],
  [
    "changes what was signed",
    `update audit_checkpoints set statement = replace(statement, '"12"', '"11"')`,
    { kind: "forged" },
  ],
  ["changes the signature", "update audit_checkpoints set signature = '\\x00'", { kind: "forged" }],
  ["takes the key away", "delete from audit_keys", { kind: "forged" }],
];

function tampering(scene: () => AuditScene): void {
  beforeAll(async () => {
    const { addSignIns, chain } = scene();
    await addSignIns("alice", EVENTS);
    for (let left = -1; left !== 0;) left = await countWhatIsLeft(scene());
    expect(await chain.readPosition()).toBe(String(EVENTS));
  });

  test.each(TAMPERED)("who %s is found out [ASVS 16.4.2]", async (_what, statements, found) => {
    const { tampered, chain } = scene();
    const verification = await tampered(statements, (its) => its.verify());
    expect(verification).toMatchObject({ verdict: "broken", break: found });
    expect((await chain.verify()).verdict).toBe("intact");
  });

  test.each([
    ["that what was signed is another", "", { kind: "rewritten", position: "12" }],
    ["that nothing is signed", "delete from audit_checkpoints", { kind: "unsigned", position: "1" }],
  ])("who writes the chain anew cannot sign it: it is found out by %s", async (_what, statements, found) => {
    const { tampered } = scene();
    const change = `update audit_events set client_id = 'x' where id = 5; ${statements || "select 1"}`;
    const verification = await tampered(change, async (its, tx) => {
      await linkAnew(tx);
      return its.verify();
    });
    expect(verification).toMatchObject({ verdict: "broken", break: found });
  });
}

function cuttingOff(scene: () => AuditScene): void {
  test("what is cut off with its signatures is missed by a checkpoint that was kept elsewhere", async () => {
    const { tampered, chain, addSignIns } = scene();
    await addSignIns("alice", EVENTS);
    for (let left = -1; left !== 0;) left = await countWhatIsLeft(scene());
    const early = await chain.exportCheckpoint();
    const back = `delete from audit_events where id > ${EVENTS}; delete from audit_seals where position > ${EVENTS}`;
    const keep = await keepState(scene());
    await addSignIns("alice", 1);
    await chain.sealWaiting();
    const late = await chain.exportCheckpoint();
    const restored = await tampered(`${back}; ${keep}`, async (its) => [
      await its.verify(),
      await its.verify(early),
      await its.verify(late),
    ]);
    expect(restored).toMatchObject([
      { verdict: "intact" },
      { verdict: "intact", checkpoint: "matches" },
      { verdict: "broken", break: { kind: "cut_off", position: String(EVENTS) } },
    ]);
    await expect(chain.verify({ ...late, signature: early.signature })).resolves.toMatchObject({
      break: { kind: "forged" },
    });
  });
}

/** Statements that bring back the head of the chain and the newest checkpoint, as they are now. */
async function keepState({ db }: AuditScene): Promise<string> {
  const { rows } = await sql<{ position: string; hash: string; statement: string; signature: string }>`
    select chain.position::text as position, encode(hash, 'hex') as hash, statement, encode(signature, 'hex') as signature
      from audit_chain chain, audit_checkpoints where kind = 'checkpoint'`.execute(db);
  const [row] = rows;
  return `update audit_chain set position = ${row?.position}, hash = '\\x${row?.hash}', settled_id = ${row?.position};
    delete from audit_checkpoints;
    insert into audit_checkpoints values ('checkpoint', ${row?.position}, '${row?.statement}', '\\x${row?.signature}', now())`;
}

/** What somebody does who has read how the chain is made, and has no key. */
async function linkAnew(tx: Db): Promise<void> {
  const { rows } = await sql<ChainedEvent & { position: string; sealedAt: string }>`
    select ${CHAINED_EVENT}, seal.position::text as position, ${microseconds("seal.sealed_at")} as "sealedAt"
      from audit_seals seal join audit_events event on event.id = seal.event_id order by seal.position`.execute(tx);
  let hash: Uint8Array = Buffer.alloc(0);
  for (const row of rows) {
    const digest = digestEvent(row, digestPersonal(row));
    hash = hashLink(hash, { position: BigInt(row.position), sealedAt: row.sealedAt, digest });
    await sql`update audit_seals set digest = ${digest}, hash = ${hash} where position = ${row.position}::bigint`.execute(
      tx,
    );
  }
  await sql`update audit_chain set hash = ${hash}`.execute(tx);
}

function erasure(scene: () => AuditScene): void {
  test("leaves events without what says who they were, and the chain whole", async () => {
    const { addSignIns, chain, audit, db, tampered } = scene();
    await addSignIns("alice", 3);
    await addSignIns("bob", 1);
    await chain.sealWaiting();
    const before = await chain.exportCheckpoint();
    await addSignIns("alice", 1);
    await expect(db.transaction().execute((tx) => audit.erasePerson(tx, "alice"))).rejects.toThrow("append-only");
    await db.transaction().execute(async (tx) => {
      await audit.append(tx, { type: "account_deleted", accountId: "alice", address: "192.0.2.1" });
      await audit.erasePerson(tx, "alice");
    });
    // One that was under way.
    await audit.append(db, { type: "sign_in_failed", accountId: "alice", address: "192.0.2.1" });
    await chain.sealWaiting();
    await audit.sweep();
    const events = await audit.list({ accountId: "alice", limit: 10 });
    expect(events).toHaveLength(6);
    expect(events.filter(({ address, device }) => address !== undefined || device !== undefined)).toEqual([]);
    expect((await audit.list({ accountId: "bob", limit: 10 }))[0]).toMatchObject({ address: "192.0.2.0" });
    const { rows } = await sql<{ row: string }>`
      select event::text || coalesce(seal::text, '') as row from audit_events event
        left join audit_seals seal on seal.event_id = event.id where account_id = 'alice'`.execute(db);
    expect(JSON.stringify(rows)).not.toMatch(/192\.0\.2|Firefox/);
    // Three had been sealed before, and one came while the account was being deleted.
    expect(await chain.verify(before)).toMatchObject({ verdict: "intact", erased: 4, checkpoint: "matches" });
    const forged = "update audit_events set request_id = null where account_id = 'alice' and id = 2";
    expect(await tampered(forged, (its) => its.verify())).toMatchObject({ break: { kind: "changed", eventId: "2" } });
  });
}
