import { createHash } from "node:crypto";
import { type FileHandle, open, rename, rm, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { constants, createGzip } from "node:zlib";
import { AppError, randomToken } from "../core/index.ts";
import { closing } from "./closing.ts";
import type { CopyRecord, RowCounts } from "./copy.ts";
import { type BackupHeader, headerLine, jsonLine, secretLine } from "./file-format.ts";

export interface BackupTarget {
  readonly path: string;
  readonly overwrite: boolean;
}

export interface BackupContent {
  readonly header: BackupHeader;
  readonly secret: string;
  readonly records: AsyncIterable<CopyRecord>;
}

const TEMPORARY_NAME_BYTES = 6;

/**
 * Writes the file under another name first, so that under its own there is a whole one or none.
 *
 * @returns how many rows of each table are in it.
 * @throws AppError BACKUP_FILE_EXISTS, BACKUP_FILE_UNWRITABLE
 */
export async function writeBackupFile({ path, overwrite }: BackupTarget, content: BackupContent): Promise<RowCounts> {
  await refuseOverwriting(path, overwrite);
  const temporary = `${path}.${randomToken(TEMPORARY_NAME_BYTES)}.part`;
  const file = await open(temporary, "wx", 0o600).catch(throwUnwritable);
  try {
    const rows = await closing(file, () => writeContent(file, content));
    await refuseOverwriting(path, overwrite);
    await rename(temporary, path).catch(throwUnwritable);
    await syncDirectory(dirname(path));
    return rows;
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

/** @throws AppError BACKUP_FILE_EXISTS, BACKUP_FILE_UNWRITABLE */
async function refuseOverwriting(path: string, overwrite: boolean): Promise<void> {
  const found = await stat(path).catch(() => undefined);
  if (found === undefined) return;
  if (!found.isFile()) throw new AppError("BACKUP_FILE_UNWRITABLE", { detail: `${path} is no file` });
  if (!overwrite) throw new AppError("BACKUP_FILE_EXISTS", { detail: `${path}; --force overwrites it` });
}

async function writeContent(file: FileHandle, { header, secret, records }: BackupContent): Promise<RowCounts> {
  const digest = createHash("sha256");
  const write = async (octets: Buffer): Promise<void> => {
    digest.update(octets);
    await file.writeFile(octets).catch(throwUnwritable);
  };
  let rows: RowCounts = {};
  const toLines = async function* (): AsyncGenerator<Buffer> {
    yield secretLine(secret);
    for await (const record of records) {
      if (record.kind === "end") rows = record.counts;
      yield record.kind === "rows" ? Buffer.from(`${record.lines.join("\n")}\n`) : jsonLine(record);
    }
  };
  await write(headerLine(header));
  await pipeline(
    Readable.from(toLines()),
    // While a running server is read, others wait: to be quick is worth more here than to be small.
    createGzip({ level: constants.Z_BEST_SPEED }),
    async (packed: AsyncIterable<Buffer>) => {
      for await (const octets of packed) await write(octets);
    },
  );
  await file.writeFile(digest.digest()).catch(throwUnwritable);
  await file.sync().catch(throwUnwritable);
  return rows;
}

/** After a crash of the machine the name must not be there without the content. */
async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, "r");
  await closing(directory, () => directory.sync());
}

function throwUnwritable(cause: unknown): never {
  const reason = cause instanceof Error ? cause.message : String(cause);
  throw new AppError("BACKUP_FILE_UNWRITABLE", { detail: reason, cause });
}
