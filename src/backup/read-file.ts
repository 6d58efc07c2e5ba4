import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { pipeline } from "node:stream";
import { StringDecoder } from "node:string_decoder";
import { createGunzip } from "node:zlib";
import { AppError, equalOctets } from "../core/index.ts";
import { closing } from "./closing.ts";
import { type CopyRecord, recordSchema } from "./copy.ts";
import { type BackupHeader, DIGEST_BYTES, HEADER_BEGINS, headerSchema, secretSchema } from "./file-format.ts";

export interface BackupFile {
  readonly header: BackupHeader;
  readonly secret: string;
  /** Can be read once. */
  readonly records: AsyncIterable<CopyRecord>;
  close(): Promise<void>;
}

/** A header names some migrations, and never comes near. */
const HEADER_BYTES_MAX = 64 * 1024;
/** Rows are handed on in such portions. */
const ROWS_TOGETHER = 500;
const NEWLINE = 0x0a;

/**
 * Opens a file that is whole: its checksum is compared before anything in it is believed.
 *
 * @throws AppError BACKUP_FILE_UNUSABLE
 */
export async function openBackupFile(path: string): Promise<BackupFile> {
  const file = await open(path, "r").catch((cause: unknown) => refuse(`${path} cannot be read`, cause));
  const { header, length, size } = await closing(file, () => inspect(file, path));
  const lines = readLines(path, { start: length, end: size - DIGEST_BYTES - 1 });
  const { value: firstLine } = await lines.next();
  const { secret } = secretSchema.parse(JSON.parse(String(firstLine)));
  return { header, secret, records: toRecords(lines), close: async () => void (await lines.return(undefined)) };
}

async function inspect(file: FileHandle, path: string) {
  const { size } = await file.stat();
  const { buffer, bytesRead } = await file.read(Buffer.alloc(HEADER_BYTES_MAX), 0, HEADER_BYTES_MAX, 0);
  const beginning = buffer.subarray(0, bytesRead);
  if (!beginning.toString("latin1").startsWith(HEADER_BEGINS)) refuse("it is no backup of Latchkey");
  await compareChecksum(file, path, size);
  const length = beginning.indexOf(NEWLINE) + 1;
  const header = headerSchema.safeParse(JSON.parse(beginning.toString("utf8", 0, length)));
  if (!header.success) return refuse("it was made by a newer version of Latchkey: restore it with that one");
  return { header: header.data, length, size };
}

async function compareChecksum(file: FileHandle, path: string, size: number): Promise<void> {
  const contentBytes = Math.max(size - DIGEST_BYTES, 0);
  const digest = createHash("sha256");
  const content = createReadStream(path, { end: Math.max(contentBytes - 1, 0) });
  for await (const octets of content) digest.update(octets as Buffer);
  const { buffer } = await file.read(Buffer.alloc(DIGEST_BYTES), 0, DIGEST_BYTES, contentBytes);
  if (!equalOctets(digest.digest(), buffer)) refuse("it is cut short or damaged: its checksum does not match");
}

/** Not by `readline`, which takes more than a line feed for the end of a line. */
async function* readLines(path: string, range: { readonly start: number; readonly end: number }) {
  const decoder = new StringDecoder("utf8");
  let rest = "";
  const content = pipeline(createReadStream(path, range), createGunzip(), () => undefined);
  for await (const octets of content) {
    const lines = `${rest}${decoder.write(octets as Buffer)}`.split("\n");
    rest = lines.pop() ?? "";
    yield* lines;
  }
}

async function* toRecords(lines: AsyncIterable<string>): AsyncGenerator<CopyRecord> {
  let rows: string[] = [];
  for await (const line of lines) {
    const isRow = line.startsWith("[");
    if (isRow) rows.push(line);
    if (rows.length > 0 && (!isRow || rows.length === ROWS_TOGETHER)) {
      yield { kind: "rows", lines: rows };
      rows = [];
    }
    if (!isRow) yield recordSchema.parse(JSON.parse(line));
  }
}

function refuse(detail: string, cause?: unknown): never {
  throw new AppError("BACKUP_FILE_UNUSABLE", { detail, cause });
}
