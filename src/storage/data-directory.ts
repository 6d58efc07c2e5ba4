import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { AppError, randomToken } from "../core/index.ts";

/** https://sqlite.org/rescode.html#busy */
const SQLITE_BUSY = 5;
const SECRET_BYTES = 48;
const SECRET_BYTES_MIN = 32;
/** Where restored data are put together. */
const STAGE = "restoring";
/** The lock is ours; the other is in the root of every new file system of Linux. */
const MAY_BE_IN_EMPTY = /^(lock(-journal)?|lost\+found)$/;

/** The embedded mode's folder: `database/`, `secret`, `lock` and the control socket, readable by its owner only. */
export interface DataDirectory {
  readonly path: string;
  readonly databasePath: string;
  readonly socketPath: string;
  /** The generated secret; made on the first start. */
  readonly secret: string;
  release(): void;
}

export class DataDirectoryLockedError extends Error {
  constructor(path: string) {
    super(
      `Latchkey is already running on the data directory ${path}. Stop it first, or set DATA_DIR to another folder.`,
    );
    this.name = "DataDirectoryLockedError";
  }
}

const databaseIn = (directory: string): string => join(directory, "database");

export function secretFileIn(directory: string): string {
  return join(directory, "secret");
}

export function socketPathIn(directory: string): string {
  return join(directory, "control.sock");
}

/**
 * Makes the folder if need be, and holds a lock on it until `release`.
 *
 * The lock is one that the operating system drops by itself when the process dies, however it dies: an exclusive
 * transaction on an otherwise empty SQLite file, the only such lock that Node offers without an add-on.
 *
 * @throws DataDirectoryLockedError when another process holds it; AppError DATA_DIRECTORY_UNFINISHED.
 */
export function lockDataDirectory(path: string): DataDirectory {
  const lockFile = lockFolder(path);
  try {
    if (existsSync(join(path, STAGE))) {
      throw new AppError("DATA_DIRECTORY_UNFINISHED", { detail: `${path}: restore the backup again, or empty it` });
    }
    return {
      path,
      databasePath: databaseIn(path),
      socketPath: socketPathIn(path),
      secret: readOrCreateSecret(secretFileIn(path)),
      release: () => lockFile.close(),
    };
  } catch (error) {
    lockFile.close();
    throw error;
  }
}

/**
 * The same of a folder that has embedded data in it; makes nothing.
 *
 * @throws AppError DATA_DIRECTORY_ABSENT, and what {@link lockDataDirectory} throws.
 */
export function lockExistingData(path: string): DataDirectory {
  const isThere = [databaseIn(path), secretFileIn(path)].every((file) => existsSync(file));
  if (!isThere && !existsSync(join(path, STAGE))) throw new AppError("DATA_DIRECTORY_ABSENT", { detail: path });
  return lockDataDirectory(path);
}

/** A locked folder without data, in which some are being put together. */
export interface EmptyDataDirectory {
  /** A data directory of its own, with the secret in it; what becomes whole there is taken over by `complete`. */
  readonly stagePath: string;
  readonly stageDatabasePath: string;
  /** Puts what was staged into its place. A server that starts when this was cut short refuses to. */
  complete(): void;
  /** Leaves nothing of it, unless it was completed. */
  release(): void;
}

/**
 * Takes hold of a folder without data, to put some there that belong to `secret`. What an earlier attempt left when it was
 * killed is cleared away.
 *
 * @throws DataDirectoryLockedError, AppError DATA_DIRECTORY_NOT_EMPTY
 */
export function lockEmptyDirectory(path: string, secret: string): EmptyDataDirectory {
  const lockFile = lockFolder(path);
  const stagePath = join(path, STAGE);
  try {
    clearUnfinished(path);
    if (readdirSync(path).some((name) => !MAY_BE_IN_EMPTY.test(name))) {
      throw new AppError("DATA_DIRECTORY_NOT_EMPTY", { detail: `${path}; nothing in it was touched` });
    }
    mkdirSync(stagePath, { mode: 0o700 });
    writeSecret(secretFileIn(stagePath), secret);
  } catch (error) {
    lockFile.close();
    throw error;
  }
  return {
    stagePath,
    stageDatabasePath: databaseIn(stagePath),
    complete() {
      for (const placeIn of [databaseIn, secretFileIn]) renameSync(placeIn(stagePath), placeIn(path));
      rmSync(stagePath, { recursive: true });
    },
    release() {
      clearUnfinished(path);
      lockFile.close();
    },
  };
}

/** Where the stage is, the folder was empty when it was made, and no server has started since. */
function clearUnfinished(path: string): void {
  if (!existsSync(join(path, STAGE))) return;
  // The stage last: as long as it is there, it is known what the rest is.
  for (const part of [databaseIn(path), secretFileIn(path), join(path, STAGE)])
    rmSync(part, { recursive: true, force: true });
}

function lockFolder(path: string): DatabaseSync {
  mkdirSync(path, { recursive: true, mode: 0o700 });
  chmodSync(path, 0o700);
  return openLock(path);
}

function openLock(path: string): DatabaseSync {
  const lockFile = new DatabaseSync(join(path, "lock"));
  try {
    lockFile.exec("BEGIN EXCLUSIVE");
    return lockFile;
  } catch (error) {
    lockFile.close();
    const isHeld = error instanceof Error && "errcode" in error && error.errcode === SQLITE_BUSY;
    throw isHeld ? new DataDirectoryLockedError(path) : error;
  }
}

function readOrCreateSecret(file: string): string {
  if (!existsSync(file)) writeSecret(file, randomToken(SECRET_BYTES));
  chmodSync(file, 0o600);
  const secret = readFileSync(file, "utf8").trim();
  if (Buffer.byteLength(secret) < SECRET_BYTES_MIN) throw new Error(`${file} does not hold a whole secret`);
  return secret;
}

/** Whole or not there: a secret that was cut short by a crash would be taken for the real one for good. */
function writeSecret(file: string, secret: string): void {
  writeFileSync(`${file}.new`, `${secret}\n`, { mode: 0o600, flush: true });
  renameSync(`${file}.new`, file);
}
