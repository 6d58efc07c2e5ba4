import type { Clock } from "../core/index.ts";
import type { Db, Migrations } from "../storage/index.ts";
import { readEverything, type RowCounts } from "./copy.ts";
import { type BackupTarget, writeBackupFile } from "./write-file.ts";

export interface BackUpDeps {
  /** The embedded database. */
  readonly db: Db;
  readonly migrations: Pick<Migrations, "listApplied">;
  readonly clock: Clock;
  /** That of the data directory. */
  readonly secret: string;
  readonly issuer: string;
  /** Whether there is a LATCHKEY_SECRET beside it. */
  readonly needsLatchkeySecret: boolean;
}

export interface BackupSummary {
  readonly file: string;
  readonly createdAt: string;
  readonly needsLatchkeySecret: boolean;
  readonly rows: RowCounts;
}

/** @throws AppError BACKUP_FILE_EXISTS, BACKUP_FILE_UNWRITABLE */
export type BackUp = (target: BackupTarget) => Promise<BackupSummary>;

/**
 * Backs up all that an embedded database holds, as it is at one moment, with the secret that opens it.
 *
 * The database has one connection, so that whoever asks it for something meanwhile waits, and nothing changes.
 */
export function createBackUp({ db, migrations, clock, secret, issuer, needsLatchkeySecret }: BackUpDeps): BackUp {
  return async (target) => {
    const createdAt = new Date(clock.nowMs()).toISOString();
    const header = { createdAt, issuer, migrations: await migrations.listApplied(), needsLatchkeySecret };
    const rows = await db
      .transaction()
      .execute((tx) => writeBackupFile(target, { header, secret, records: readEverything(tx) }));
    return { file: target.path, createdAt, needsLatchkeySecret, rows };
  };
}
