/**
 * All that is stored, copied as a whole: into a backup file, out of one, and from the embedded database into a Postgres.
 *
 * A copy is a stream of records (`copy.ts`), read from a database or from a file and written to either. It is made from
 * what the database says of its own tables, so that a table which a migration adds is in it without a change here; an
 * unlogged one, such as that of the running nodes, is in none.
 *
 * Invariants: a copy is of one moment; it is written in one transaction, or into a file that has its name only when it is
 * whole; nothing that holds data is written over.
 */
export { type BackUp, createBackUp } from "./backup.ts";
export type { RowCounts } from "./copy.ts";
export { moveData } from "./move.ts";
export { openBackupFile } from "./read-file.ts";
export { restoreInto } from "./restore.ts";
