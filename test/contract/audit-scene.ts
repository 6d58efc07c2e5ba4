import { sql } from "kysely";
import { afterAll, beforeAll } from "vitest";
import { type Audit, type AuditChain, createAudit, createAuditChain } from "../../src/audit/index.ts";
import { createKeySeals } from "../../src/core/index.ts";
import type { Database, Db } from "../../src/storage/index.ts";
import { createMovableClock, type MovableClock } from "../support/movable-clock.ts";
import type { RevocationGround } from "./revocations.contract.ts";

export const SECRET = "s".repeat(40);
const RETENTION_DAYS = 400;

/** An audit log with nodes that seal it. */
export interface AuditScene {
  readonly kind: RevocationGround["kind"];
  readonly clock: MovableClock;
  readonly db: Db;
  readonly audit: Audit;
  readonly chain: AuditChain;
  /** Another node, with connections of its own, or whatever else is asked for. */
  readonly chainWith: (other: { readonly db?: Db; readonly secrets?: readonly string[] }) => AuditChain;
  readonly connect: () => Promise<Database>;
  /** Appends that many sign-ins of one account, one after the other. */
  readonly addSignIns: (accountId: string, count: number) => Promise<void>;
  /** Looks at what somebody did who can do everything in the database, and undoes it. */
  readonly tampered: <Result>(
    statements: string,
    look: (chain: AuditChain, tx: Db) => Promise<Result>,
    secrets?: readonly string[],
  ) => Promise<Result>;
}

export function openAuditScene(openGround: () => Promise<RevocationGround>): () => AuditScene {
  let ground: RevocationGround;
  let scene: AuditScene;
  beforeAll(async () => {
    ground = await openGround();
    scene = createScene(ground, await ground.connect());
  });
  afterAll(() => ground.close());
  return () => scene;
}

function createScene(ground: RevocationGround, { db, patientDb }: Database): AuditScene {
  const clock = createMovableClock();
  const audit = createAudit({ db, clock, currentDevice: () => "Firefox on Linux" });
  const parts = { patientDb, clock, issuer: "https://id.example.com", retentionDays: RETENTION_DAYS };
  const chainWith: AuditScene["chainWith"] = (other) =>
    createAuditChain({
      ...parts,
      db: other.db ?? db,
      seals: createKeySeals(other.secrets ?? [SECRET], "audit-key"),
      audit,
    });
  return {
    kind: ground.kind,
    clock,
    db,
    audit,
    chain: chainWith({}),
    chainWith,
    connect: () => ground.connect(),
    async addSignIns(accountId, count) {
      for (let added = 0; added < count; added += 1) {
        const address = `192.0.2.${added % 250}`;
        await audit.append(db, { type: "sign_in_succeeded", accountId, address, requestId: `r${added}` });
      }
    },
    tampered: (statements, look, secrets = [SECRET]) =>
      inUndone(db, statements, (tx) => look(chainWith({ db: tx, secrets }), tx)),
  };
}

const PROTECTED = "audit_events, audit_seals";

async function inUndone<Result>(db: Db, statements: string, look: (tx: Db) => Promise<Result>): Promise<Result> {
  const undone = new Error("undone");
  let result: { readonly value: Result } | undefined;
  const work = db.transaction().execute(async (tx) => {
    for (const table of PROTECTED.split(", ")) await sql.raw(`alter table ${table} disable trigger user`).execute(tx);
    for (const statement of statements.split(";")) await sql.raw(statement).execute(tx);
    result = { value: await look(tx) };
    throw undone;
  });
  await work.catch((error: unknown) => {
    if (error !== undone) throw error;
  });
  if (result === undefined) throw new Error("nothing was looked at");
  return result.value;
}
