/** What is done with embedded data as a whole while no server runs on them: restoring a backup, and moving to a Postgres. */
import { moveData, openBackupFile, restoreInto, type RowCounts } from "./backup/index.ts";
import { type Answer, answerMoved, answerRestored, type MoveOrder, type RestoreOrder } from "./commands/index.ts";
import type { Config } from "./config/index.ts";
import { AppError } from "./core/index.ts";
import { createLogger } from "./observability/index.ts";
import { openServices } from "./services.ts";
import { createMigrations, lockEmptyDirectory, openEmbedded, openPostgres, secretFileIn } from "./storage/index.ts";

/** Silent: what there is to say is the answer. */
const logger = createLogger({ level: "silent" });

/**
 * Restores a backup into the data directory, which must hold nothing.
 *
 * What was revoked after the backup was made is not in it. So it is taken for revoked with everything else of before,
 * unless the operator knows that there is none.
 *
 * @throws DataDirectoryLockedError, AppError BACKUP_FILE_UNUSABLE, DATA_DIRECTORY_NOT_EMPTY, DATA_NOT_EMBEDDED
 */
export async function restore(config: Config, { file, keepSessions }: RestoreOrder): Promise<Answer> {
  refuseProduction(config);
  const { dataDirectory } = config;
  const backup = await openBackupFile(file);
  try {
    const { header, secret } = backup;
    const directory = lockEmptyDirectory(dataDirectory, secret);
    try {
      const rows = await fill(directory.stageDatabasePath, backup);
      await finish({ ...config, dataDirectory: directory.stagePath }, keepSessions);
      directory.complete();
      const { createdAt, issuer, needsLatchkeySecret } = header;
      const sessions = keepSessions ? "kept" : "ended";
      const restored = { dataDirectory, createdAt, issuer, rows, sessions, needsLatchkeySecret } as const;
      return answerRestored(restored, config.issuer);
    } finally {
      directory.release();
    }
  } finally {
    await backup.close();
  }
}

async function fill(databasePath: string, backup: Parameters<typeof restoreInto>[1]): Promise<RowCounts> {
  const database = await openEmbedded(databasePath);
  const { db } = database;
  try {
    return await restoreInto({ db, migrations: createMigrations(db) }, backup);
  } finally {
    await database.close();
  }
}

/** Brings what was restored to this version, and ends what may have ended since. */
async function finish(config: Config, keepSessions: boolean): Promise<void> {
  const services = await openServices(config, { logger });
  try {
    if (!keepSessions) await services.sessions.endEverybodys("revoked_by_operator");
  } finally {
    await services.close();
  }
}

/**
 * Copies the data directory's data to a Postgres. The lock on the directory is held meanwhile: what people did on a server
 * that went on would be lost.
 *
 * @throws DataDirectoryLockedError, AppError DATA_DIRECTORY_ABSENT, DATA_NOT_EMBEDDED, MOVE_REFUSED, STORE_UNAVAILABLE
 */
export async function move(config: Config, { url }: MoveOrder): Promise<Answer> {
  refuseProduction(config);
  const source = await openServices(config, { logger, stores: "untouched" });
  try {
    const target = openPostgres({ url, poolMax: 1, onConnectionError: () => undefined });
    try {
      const migrations = createMigrations(target.db, target.patientDb);
      const rows = await moveData(source, { database: target, migrations });
      const secretFile = secretFileIn(config.dataDirectory);
      const needsLatchkeySecret = config.secrets.length > 0;
      return answerMoved({ rows, issuer: config.issuer, secretFile, needsLatchkeySecret });
    } finally {
      await target.close();
    }
  } finally {
    await source.close();
  }
}

function refuseProduction({ mode }: Config): void {
  if (mode === "production") throw new AppError("DATA_NOT_EMBEDDED", { detail: "unset it" });
}
