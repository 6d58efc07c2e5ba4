import { type Kysely, sql } from "kysely";

/** For `latchkey plan`. */
export const effects = {
  locks: [{ table: "revocations", kind: "short" }],
  sideBySide: true,
};

/** When a record of the feed was written: how long services wait for it is measured by the database's clock alone. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
}

export async function down(db: Kysely<unknown>): Promise<void> {
  await sql.raw(`alter table revocations drop column recorded_at`).execute(db);
}

// In two steps, neither of which rewrites the table. A node of the version before writes without knowing of it.
const STATEMENTS = [
  `alter table revocations add column recorded_at timestamptz`,
  `alter table revocations alter column recorded_at set default clock_timestamp()`,
];
