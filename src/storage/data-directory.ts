import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { randomToken } from "../core/index.ts";

/** https://sqlite.org/rescode.html#busy */
const SQLITE_BUSY = 5;
const SECRET_BYTES = 48;
const SECRET_BYTES_MIN = 32;

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

export function socketPathIn(directory: string): string {
  return join(directory, "control.sock");
}

/**
 * Makes the folder if need be, and holds a lock on it until `release`.
 *
 * The lock is one that the operating system drops by itself when the process dies, however it dies: an exclusive
 * transaction on an otherwise empty SQLite file, the only such lock that Node offers without an add-on.
 *
 * @throws DataDirectoryLockedError when another process holds it.
 */
export function lockDataDirectory(path: string): DataDirectory {
  mkdirSync(path, { recursive: true, mode: 0o700 });
  chmodSync(path, 0o700);
  const lockFile = openLock(path);
  return {
    path,
    databasePath: join(path, "database"),
    socketPath: socketPathIn(path),
    secret: readOrCreateSecret(join(path, "secret")),
    release: () => lockFile.close(),
  };
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

/** Whole or not there: a secret that was cut short by a crash would be taken for the real one for good. */
function readOrCreateSecret(file: string): string {
  if (!existsSync(file)) {
    writeFileSync(`${file}.new`, `${randomToken(SECRET_BYTES)}\n`, { mode: 0o600, flush: true });
    renameSync(`${file}.new`, file);
  }
  chmodSync(file, 0o600);
  const secret = readFileSync(file, "utf8").trim();
  if (Buffer.byteLength(secret) < SECRET_BYTES_MIN) throw new Error(`${file} does not hold a whole secret`);
  return secret;
}
