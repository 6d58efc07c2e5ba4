import { sql } from "kysely";
import { AppError, isAppError } from "../core/index.ts";
import {
  asStoreFailure,
  type Database,
  type Db,
  type Migrations,
  POSTGRES_VERSION_MIN,
  readPostgresFacts,
} from "../storage/index.ts";
import { readEverything, type RowCounts, writeEverything } from "./copy.ts";
import { listFilledTables, listTables, type Table } from "./tables.ts";

/** A database with its migrations. */
export interface Migrated {
  readonly database: Pick<Database, "db" | "patientDb">;
  readonly migrations: Pick<Migrations, "plan" | "apply">;
}

const SQLSTATE = /^[0-9A-Z]{5}$/;

/** What Postgres says when the operator has something to mend (PostgreSQL manual, appendix A). */
const OPERATORS_FAULTS: Readonly<Record<string, string>> = {
  "28000": "this role may not connect",
  "28P01": "the password is not right",
  "3D000": "there is no such database",
  "42501": "this role may not create tables there: let it own the database, or its schema",
};

/**
 * Copies all that an embedded database holds into an empty Postgres: in one transaction, so that it is all there or
 * nothing of it. The embedded one is brought to this version, and is otherwise left as it is.
 *
 * @throws AppError MOVE_REFUSED
 */
export async function moveData(source: Migrated, target: Migrated): Promise<RowCounts> {
  const { unknown } = await source.migrations.plan();
  if (unknown.length > 0) refuse(`the data are of a newer version of Latchkey: it knows ${namesOf(unknown)}`);
  await source.migrations.apply();
  const tables = await listTables(source.database.db);
  try {
    await checkTarget(target, tables);
    await target.migrations.apply();
    return await source.database.db
      .transaction()
      .execute((from) => target.database.patientDb.transaction().execute((to) => copy(from, to, tables)));
  } catch (error) {
    const fault = operatorsFault(error);
    if (fault === undefined) throw error;
    throw new AppError("MOVE_REFUSED", { detail: fault, cause: error });
  }
}

async function copy(from: Db, to: Db, tables: readonly Table[]): Promise<RowCounts> {
  const names = new Set(tables.map(({ name }) => name));
  const theirs = (await listTables(to)).filter(({ name }) => names.has(name));
  await sql`lock table ${sql.join(theirs.map(({ name }) => sql.table(name)))} in access exclusive mode`.execute(to);
  // Once more, now that no server that was started there can write.
  await refuseFilled(to, theirs);
  return writeEverything(to, readEverything(from), theirs);
}

async function checkTarget(target: Migrated, tables: readonly Table[]): Promise<void> {
  const { db } = target.database;
  await checkServer(db);
  const names = new Set(tables.map(({ name }) => name));
  const theirs = (await listTables(db)).filter(({ name }) => names.has(name));
  const { unknown, isNew } = await target.migrations.plan();
  if (unknown.length > 0) refuse(`it has had migrations that this version does not know: ${namesOf(unknown)}`);
  if (isNew && theirs.length > 0) {
    refuse(`it has tables of the same names that are not Latchkey's: ${namesOf(theirs)}`);
  }
  await refuseFilled(db, theirs);
}

async function checkServer(db: Db): Promise<void> {
  const { majorVersion, encoding } = await readPostgresFacts(db);
  if (majorVersion < POSTGRES_VERSION_MIN) {
    refuse(`it is Postgres ${majorVersion}, and ${POSTGRES_VERSION_MIN} is the oldest that will do`);
  }
  if (encoding !== "UTF8") refuse(`its encoding is ${encoding}: make the database with UTF8`);
}

async function refuseFilled(db: Db, tables: readonly Table[]): Promise<void> {
  const filled = await listFilledTables(db, tables);
  if (filled.length > 0) refuse(`it holds data of Latchkey's already, in ${filled.join(", ")}`);
}

function namesOf(named: readonly { readonly name: string }[]): string {
  return named.map(({ name }) => name).join(", ");
}

function refuse(detail: string): never {
  throw new AppError("MOVE_REFUSED", { detail });
}

/** What the database has to say, without the row that it says it about. Also of an error in our own words. */
function operatorsFault(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  if (isAppError(error, "STORE_UNAVAILABLE")) return operatorsFault(error.cause);
  if (!("code" in error && typeof error.code === "string")) return undefined;
  const { code } = error;
  if (OPERATORS_FAULTS[code] !== undefined) return OPERATORS_FAULTS[code];
  if (!SQLSTATE.test(code) || asStoreFailure(error) !== error) return undefined;
  const where = "table" in error && typeof error.table === "string" ? `, table ${error.table}` : "";
  return `it refused what was copied, and has nothing of it (SQLSTATE ${code}${where})`;
}
