import { setImmediate } from "node:timers/promises";
import { sql } from "kysely";
import { expect, onTestFinished, test } from "vitest";
import { asStoreFailure, type Database, type Db, openPostgres } from "../../src/storage/index.ts";
import { createEmptyDatabase } from "../support/stores.ts";

/** Longer than a request waits for an answer of Postgres. */
const PAUSE_MS = 1_100;

const WAYS_TO_BEGIN: readonly (readonly [string, (db: Db) => Promise<unknown>])[] = [
  ["around a function", (db) => db.transaction().execute(async () => undefined)],
  ["step by step", (db) => db.startTransaction().execute()],
];

test.each(WAYS_TO_BEGIN)(
  "what is written after a transaction %s was given up is there: its `begin` was not lost, but late",
  async (_, begin) => {
    const database = await createEmptyDatabase();
    onTestFinished(() => database.drop());
    const [node, other] = [await openNode(database.url), await openNode(database.url)];
    await sql`create table written (what text)`.execute(other.db);

    const failure = begin(node.db).then(
      () => undefined,
      (error: unknown) => error,
    );
    await setImmediate();
    stopTheProcess();
    expect(asStoreFailure(await failure)).toMatchObject({ code: "STORE_UNAVAILABLE" });

    await sql`insert into written values ('acknowledged')`.execute(node.db);
    const { rows } = await sql`select what from written`.execute(other.db);
    expect(rows).toEqual([{ what: "acknowledged" }]);
  },
);

/** Of one connection, which is there already. */
async function openNode(url: string): Promise<Database> {
  const node = openPostgres({ url, poolMax: 1, onConnectionError: () => undefined });
  onTestFinished(() => node.close());
  await sql`select 1`.execute(node.db);
  return node;
}

/** As SIGSTOP does, or the host of a machine. What was due meanwhile comes first afterwards, and then what was sent. */
function stopTheProcess(): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, PAUSE_MS);
}
