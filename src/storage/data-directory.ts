import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { randomToken } from "../core/index.ts";

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
  const lockFile = new DatabaseSync(join(path, "lock"));
  try {
    lockFile.exec("BEGIN EXCLUSIVE");
  } catch {
    lockFile.close();
    throw new DataDirectoryLockedError(path);
  }
  return {
    path,
    databasePath: join(path, "database"),
    socketPath: socketPathIn(path),
    secret: readOrCreateSecret(join(path, "secret")),
    release: () => lockFile.close(),
  };
}

function readOrCreateSecret(file: string): string {
  if (!existsSync(file)) writeFileSync(file, `${randomToken(48)}\n`, { mode: 0o600, flag: "wx" });
  chmodSync(file, 0o600);
  return readFileSync(file, "utf8").trim();
}
