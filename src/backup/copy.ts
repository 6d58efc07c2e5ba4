import { sql } from "kysely";
import { z } from "zod";
import type { Db } from "../storage/index.ts";
import { listTables, type Table } from "./tables.ts";

/** So many rows are read, and written, in one statement. */
const BATCH_ROWS = 500;

/** How many rows each table has. */
export type RowCounts = Readonly<Record<string, number>>;

const sequenceSchema = z.strictObject({ column: z.string(), lastValue: z.string(), isCalled: z.boolean() });

/**
 * All that a database holds, in an order in which it can be written again. A row is a JSON array of what the database
 * makes of each value as text, so that every type comes back exactly, and in another version of Postgres too.
 */
export type CopyRecord =
  | {
      readonly kind: "table";
      readonly name: string;
      readonly columns: readonly string[];
      readonly sequences: Sequences;
    }
  /** Of the table before. */
  | { readonly kind: "rows"; readonly lines: readonly string[] }
  | { readonly kind: "end"; readonly counts: RowCounts };

type Sequences = readonly z.infer<typeof sequenceSchema>[];

/** What a copy consists of beside its rows, as it is read from a file. */
export const recordSchema = z.discriminatedUnion("kind", [
  z.strictObject({
    kind: z.literal("table"),
    name: z.string(),
    columns: z.array(z.string()).min(1),
    sequences: z.array(sequenceSchema),
  }),
  z.strictObject({ kind: z.literal("end"), counts: z.record(z.string(), z.number()) }),
]);

/** @param tx a transaction that sees one moment: the embedded database's only one, or one that is repeatable read. */
export async function* readEverything(tx: Db): AsyncGenerator<CopyRecord> {
  const counts: Record<string, number> = {};
  const tables = await listTables(tx);
  for (const table of tables.filter(({ isKept }) => isKept)) {
    const { name } = table;
    counts[name] = 0;
    yield {
      kind: "table",
      name,
      columns: table.columns.map((column) => column.name),
      sequences: await readSequences(tx, table),
    };
    for await (const lines of readRows(tx, table)) {
      counts[name] += lines.length;
      yield { kind: "rows", lines };
    }
  }
  yield { kind: "end", counts };
}

async function* readRows(tx: Db, { name, columns }: Table): AsyncGenerator<readonly string[]> {
  const values = sql.join(columns.map((column) => sql`${sql.ref(column.name)}::text`));
  await sql`declare copied no scroll cursor for
    select json_build_array(${values})::text as line from ${sql.table(name)}`.execute(tx);
  for (;;) {
    const { rows } = await sql<{ line: string }>`fetch ${sql.lit(BATCH_ROWS)} from copied`.execute(tx);
    if (rows.length > 0) yield rows.map(({ line }) => line);
    if (rows.length < BATCH_ROWS) break;
  }
  await sql`close copied`.execute(tx);
}

async function readSequences(tx: Db, { columns }: Table): Promise<Sequences> {
  const sequences: z.infer<typeof sequenceSchema>[] = [];
  for (const { name: column, sequence } of columns) {
    if (sequence === null) continue;
    const { rows } = await sql<{ lastValue: string; isCalled: boolean }>`
      select last_value::text as "lastValue", is_called as "isCalled" from ${sql.raw(sequence)}`.execute(tx);
    for (const { lastValue, isCalled } of rows) sequences.push({ column, lastValue, isCalled });
  }
  return sequences;
}

/**
 * Writes a copy into a database of the same migrations, in place of what the migrations laid down there.
 *
 * Triggers stay silent meanwhile: what they would write is in the copy. References are checked as ever.
 *
 * @param tx nobody sees any of it before it is committed.
 * @param tables those of the copy, as they are here: what else lies in the schema is somebody else's.
 */
export async function writeEverything(
  tx: Db,
  records: AsyncIterable<CopyRecord>,
  tables: readonly Table[],
): Promise<RowCounts> {
  const known = new Map(tables.map((table) => [table.name, table]));
  const counts: Record<string, number> = {};
  let current: { readonly table: Table; readonly columns: readonly string[] } | undefined;
  let expected: RowCounts | undefined;
  const names = (await Promise.all(tables.map(({ name }) => listWithPartitions(tx, name)))).flat();
  for (const name of names) await sql`alter table ${sql.table(name)} disable trigger user`.execute(tx);
  await sql`truncate ${sql.join(tables.map(({ name }) => sql.table(name)))}`.execute(tx);
  for await (const record of records) {
    if (record.kind === "end") {
      expected = record.counts;
    } else if (record.kind === "table") {
      const table = known.get(record.name);
      if (table === undefined) throw new Error(`there is no table ${record.name} to write to`);
      current = { table, columns: record.columns };
      counts[record.name] = 0;
      for (const sequence of record.sequences) await writeSequence(tx, record.name, sequence);
    } else {
      if (current === undefined) throw new Error("there are rows before the first table");
      counts[current.table.name] = (counts[current.table.name] ?? 0) + (await writeRows(tx, current, record.lines));
    }
  }
  for (const name of names) await sql`alter table ${sql.table(name)} enable trigger user`.execute(tx);
  refuseOtherCounts(counts, expected);
  return counts;
}

/** Partitions have triggers of their own, of which the table that they are of does not know. */
async function listWithPartitions(tx: Db, table: string): Promise<readonly string[]> {
  const { rows } = await sql<{ name: string }>`
    select relname::text as name from pg_class where oid = to_regclass(quote_ident(${table}))
    union all
    select relname::text from pg_inherits join pg_class on pg_class.oid = inhrelid
      where inhparent = to_regclass(quote_ident(${table}))`.execute(tx);
  return rows.map(({ name }) => name);
}

async function writeRows(
  tx: Db,
  { table, columns }: { readonly table: Table; readonly columns: readonly string[] },
  lines: readonly string[],
): Promise<number> {
  const types = new Map(table.columns.map(({ name, type }) => [name, type]));
  const values = columns.map((column, at) => {
    const type = types.get(column);
    if (type === undefined) throw new Error(`there is no column ${column} in ${table.name} to write to`);
    return sql`(entry ->> ${sql.lit(at)})::${sql.raw(type)}`;
  });
  // "offset 0": otherwise each value would read its whole line anew.
  const { numAffectedRows = 0n } = await sql`
    insert into ${sql.table(table.name)} (${sql.join(columns.map((column) => sql.ref(column)))}) overriding system value
      select ${sql.join(values)} from (select line::jsonb as entry from unnest(${lines}::text[]) line offset 0) given`.execute(
    tx,
  );
  return Number(numAffectedRows);
}

async function writeSequence(tx: Db, table: string, { column, lastValue, isCalled }: Sequences[number]): Promise<void> {
  await sql`select setval(pg_get_serial_sequence(quote_ident(${table}), ${column}), ${lastValue}::bigint, ${isCalled})`.execute(
    tx,
  );
}

function refuseOtherCounts(counts: RowCounts, expected: RowCounts | undefined): void {
  const names = new Set([...Object.keys(counts), ...Object.keys(expected ?? {})]);
  const different = [...names].filter((name) => counts[name] !== expected?.[name]);
  if (different.length > 0) throw new Error(`not every row was copied: ${different.join(", ")}`);
}
