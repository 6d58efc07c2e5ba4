import { AppError } from "../core/index.ts";
import type { Db, Migrations } from "../storage/index.ts";
import { type RowCounts, writeEverything } from "./copy.ts";
import type { BackupFile } from "./read-file.ts";
import { listTables } from "./tables.ts";

/**
 * Writes a backup into an empty database, which has had the same migrations afterwards as the one that was backed up.
 *
 * @throws AppError BACKUP_FILE_UNUSABLE for what a newer version made.
 */
export async function restoreInto(
  { db, migrations }: { readonly db: Db; readonly migrations: Pick<Migrations, "listKnown" | "applyUpTo"> },
  { header, records }: Pick<BackupFile, "header" | "records">,
): Promise<RowCounts> {
  const known = await migrations.listKnown();
  const last = header.migrations.at(-1);
  const unknown = header.migrations.filter((name, at) => name !== known[at]);
  if (last === undefined || unknown.length > 0) {
    const detail = `it is of a newer version of Latchkey, which knows ${unknown.join(", ")}`;
    throw new AppError("BACKUP_FILE_UNUSABLE", { detail });
  }
  await migrations.applyUpTo(last);
  const tables = await listTables(db);
  return db.transaction().execute((tx) => writeEverything(tx, records, tables));
}
