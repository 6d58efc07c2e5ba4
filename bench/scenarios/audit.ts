import { sql } from "kysely";
import { type Audit, createAudit, createAuditChain } from "../../src/audit/index.ts";
import { createKeySeals, systemClock } from "../../src/core/index.ts";
import { createMigrations, type Database, type Db, openPostgres } from "../../src/storage/index.ts";
import { startPostgres } from "../../test/support/servers.ts";
import { runClosedLoop } from "../load/closed-loop.ts";
import { median, percentile, type Row } from "../report.ts";

/** The last migration before the log was parted and sealed. */
const BEFORE = "0011-mail-outbox";
const WARM_UP_EVENTS = 2_000;
const SEAL_EVERY_MS = 1_000;
const RETENTION_DAYS = 400;
const MEBIBYTE = 1024 * 1024;

export interface AuditOptions {
  readonly rounds: number;
  readonly requestCount: number;
  readonly workerCount: number;
  readonly progress: (line: string) => void;
}

interface Variant {
  readonly name: "one_table" | "parted" | "parted_and_sealed";
  readonly append: (event: number) => Promise<void>;
  /** Around a round. */
  readonly beginSealing: () => { stop(): Promise<void> };
}

const nobodySeals = () => ({ stop: async () => undefined });

/** What an event costs whoever waits for it: in the table of before, in the parted one, and while that is sealed. */
export async function runAuditScenario(options: AuditOptions): Promise<readonly Row[]> {
  await using started = new AsyncDisposableStack();
  const open = async (): Promise<Database> => {
    const postgres = await startPostgres();
    started.defer(() => postgres.stop());
    const { url } = postgres;
    const database = openPostgres({ url, poolMax: options.workerCount, onConnectionError: () => undefined });
    started.defer(() => database.close());
    return database;
  };
  const [old, parted] = [await open(), await open()];
  await createMigrations(old.db, old.patientDb).applyUpTo(BEFORE);
  await createMigrations(parted.db, parted.patientDb).apply();
  const chain = createChain(parted);
  const audit = createAudit({ db: parted.db, clock: systemClock, currentDevice: () => "Firefox on Linux" });
  const variants: readonly Variant[] = [
    { name: "one_table", append: (event) => appendAsBefore(old.db, event), beginSealing: nobodySeals },
    { name: "parted", append: (event) => append(parted.db, audit, event), beginSealing: nobodySeals },
    {
      name: "parted_and_sealed",
      append: (event) => append(parted.db, audit, event),
      beginSealing: () => sealEverySecond(chain),
    },
  ];
  const rows = await takeTurns(variants, options);
  options.progress("audit: sealing what is left, and verifying all");
  return [...rows, ...(await measureChain(chain, parted.db))];
}

function createChain({ db, patientDb }: Database) {
  const seals = createKeySeals(["s".repeat(40)], "audit-key");
  const ground = { db, patientDb, clock: systemClock };
  const about = { issuer: "https://id.example.com", retentionDays: RETENTION_DAYS };
  return createAuditChain({ ...ground, ...about, seals, audit: createAudit(ground) });
}

function sealEverySecond(chain: ReturnType<typeof createChain>): { stop(): Promise<void> } {
  let sealing: Promise<unknown> = Promise.resolve();
  const timer = setInterval(() => {
    sealing = sealing.then(() => chain.sealWaiting());
  }, SEAL_EVERY_MS);
  return {
    async stop() {
      clearInterval(timer);
      await sealing;
    },
  };
}

/** As a sign-in does: within a transaction, beside a change of its own. */
async function inTransaction(db: Db, insert: (tx: Db) => Promise<unknown>): Promise<void> {
  await db.transaction().execute(async (tx) => {
    await sql`update revocation_feed set beat = beat where false`.execute(tx);
    await insert(tx);
  });
}

function append(db: Db, audit: Audit, event: number): Promise<void> {
  const about = { accountId: `a${event % 1_000}`, requestId: `r${event}`, address: "192.0.2.7", clientId: "shop" };
  return inTransaction(db, (tx) => audit.append(tx, { type: "sign_in_succeeded", ...about }));
}

/** The same statement builder, so that only the tables differ. */
function appendAsBefore(db: Db, event: number): Promise<void> {
  const values = {
    occurred_at: new Date(),
    type: "sign_in.succeeded",
    account_id: `a${event % 1_000}`,
    client_id: "shop",
    session_id: null,
    request_id: `r${event}`,
    address: "192.0.2.7",
    data: "{}",
  };
  return inTransaction(db, (tx) =>
    tx.$extendTables<{ audit_events: typeof values }>().insertInto("audit_events").values(values).execute(),
  );
}

async function takeTurns(
  variants: readonly Variant[],
  { rounds, requestCount, workerCount, progress }: AuditOptions,
): Promise<readonly Row[]> {
  const measured = variants.map(({ name }) => ({
    variant: name,
    perSecond: [] as number[],
    p50: [] as number[],
    p99: [] as number[],
  }));
  for (const { append: perform } of variants)
    await runClosedLoop({ workerCount, requestCount: WARM_UP_EVENTS, perform });
  for (let round = 0; round < rounds; round += 1) {
    progress(`audit: round ${round + 1} of ${rounds}`);
    for (const [at, { append: perform, beginSealing }] of variants.entries()) {
      const sealing = beginSealing();
      const { totalMs, latenciesMs } = await runClosedLoop({ workerCount, requestCount, perform });
      await sealing.stop();
      measured[at]?.perSecond.push((1_000 * requestCount) / totalMs);
      measured[at]?.p50.push(percentile(latenciesMs, 0.5));
      measured[at]?.p99.push(percentile(latenciesMs, 0.99));
    }
  }
  return measured.flatMap(({ variant, perSecond, p50, p99 }) => [
    { scenario: "audit/append", variant, metric: "per_second", value: median(perSecond), unit: "1/s" },
    { scenario: "audit/append", variant, metric: "p50_ms", value: median(p50), unit: "ms" },
    { scenario: "audit/append", variant, metric: "p99_ms", value: median(p99), unit: "ms" },
  ]);
}

async function measureChain(chain: ReturnType<typeof createChain>, db: Db): Promise<readonly Row[]> {
  await sql`insert into audit_events (occurred_at, type) select now(), 'session_started' from generate_series(1, 50000)`.execute(
    db,
  );
  const sealedAt = performance.now();
  const sealed = await chain.sealWaiting();
  const sealMs = performance.now() - sealedAt;
  const before = process.memoryUsage().heapUsed;
  const verifiedAt = performance.now();
  const { events, verdict } = await chain.verify();
  const verifyMs = performance.now() - verifiedAt;
  if (verdict === "broken") throw new Error("the chain is broken");
  const grown = (process.memoryUsage().heapUsed - before) / MEBIBYTE;
  const variant = "parted_and_sealed";
  return [
    { scenario: "audit/seal", variant, metric: "per_second", value: (1_000 * sealed) / sealMs, unit: "1/s" },
    { scenario: "audit/verify", variant, metric: "per_second", value: (1_000 * events) / verifyMs, unit: "1/s" },
    { scenario: "audit/verify", variant, metric: "heap_grown_mib", value: grown, unit: "MiB" },
  ];
}
