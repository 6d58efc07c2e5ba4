import { sql } from "kysely";
import { type Db, MIGRATION_TABLES } from "../storage/index.ts";

/** A table as the database itself describes it. */
export interface Table {
  readonly name: string;
  readonly columns: readonly Column[];
  /** Whether the database itself keeps it through a crash. What it does not, such as who runs, is in no copy either. */
  readonly isKept: boolean;
}

export interface Column {
  readonly name: string;
  /** As the database writes it, such as `timestamp with time zone`. */
  readonly type: string;
  /** The expression of its default; `null` where there is none. */
  readonly default: string | null;
  /** Its sequence, qualified and quoted, where the database numbers the rows. */
  readonly sequence: string | null;
}

interface TableRow extends Table {
  readonly parents: readonly string[];
}

/** All tables of the schema that is worked in but those of the migrations, those that others refer to before those that do. */
export async function listTables(db: Db): Promise<readonly Table[]> {
  const { rows } = await sql<TableRow>`
    select class.relname as name, columns.list as columns, relpersistence = 'p' as "isKept", array(
        select parent.relname::text from pg_constraint foreign_key
          join pg_class parent on parent.oid = foreign_key.confrelid
          where foreign_key.conrelid = class.oid and foreign_key.contype = 'f' and parent.oid <> class.oid
      ) as parents
    from pg_class class
    join pg_namespace namespace on namespace.oid = class.relnamespace
    cross join lateral (
      select json_agg(json_build_object(
          'name', attname,
          'type', format_type(atttypid, atttypmod),
          'default', pg_get_expr(adbin, adrelid),
          'sequence', pg_get_serial_sequence(format('%I.%I', nspname, relname), attname)
        ) order by attnum) as list
      from pg_attribute
      left join pg_attrdef on adrelid = attrelid and adnum = attnum
      where attrelid = class.oid and attnum > 0 and not attisdropped and attgenerated = ''
    ) columns
    where nspname = current_schema() and relkind in ('r', 'p') and not relispartition
      and relname <> all (${MIGRATION_TABLES})
    order by relname`.execute(db);
  return inOrder(rows);
}

function inOrder(rows: readonly TableRow[]): readonly Table[] {
  const names = new Set(rows.map(({ name }) => name));
  const placed = new Map<string, Table>();
  while (placed.size < rows.length) {
    const isReady = ({ parents }: TableRow): boolean =>
      parents.every((parent) => placed.has(parent) || !names.has(parent));
    const ready = rows.filter((row) => !placed.has(row.name) && isReady(row));
    if (ready.length === 0) throw new Error("tables refer to each other in a circle");
    for (const { name, columns, isKept } of ready) placed.set(name, { name, columns, isKept });
  }
  return [...placed.values()];
}

/**
 * The tables that hold anything of somebody's. A row of defaults alone is what a migration laid down, and says nothing.
 */
export async function listFilledTables(db: Db, tables: readonly Table[]): Promise<readonly string[]> {
  const filled: string[] = [];
  for (const { name, columns } of tables.filter(({ isKept }) => isKept)) {
    const isLaidDown = sql.join(
      columns.map((column) => sql`${sql.ref(column.name)} is not distinct from ${sql.raw(column.default ?? "null")}`),
      sql` and `,
    );
    const { rows } = await sql<{ isFilled: boolean }>`
      select exists (select from ${sql.table(name)} where not (${isLaidDown})) as "isFilled"`.execute(db);
    if (rows[0]?.isFilled === true) filled.push(name);
  }
  return filled;
}
