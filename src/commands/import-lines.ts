/** A part of a file that is sent at once. */
export interface LineBatch {
  readonly lines: readonly NumberedLine[];
  /** Lines that nobody could read, and why. */
  readonly unreadable: readonly UnreadableLine[];
  /** The last line that was looked at, from 1. */
  readonly lastLine: number;
}

export interface NumberedLine {
  readonly line: number;
  readonly text: string;
}

export interface UnreadableLine {
  readonly line: number;
  readonly problem: string;
}

export interface BatchLimits {
  readonly linesMax: number;
  readonly lineBytesMax: number;
  /** Of all lines, as JSON. */
  readonly batchBytesMax: number;
}

/** Under what the control socket takes; and no more lines than others may wait for. */
export const BATCH_LIMITS: BatchLimits = { linesMax: 100, lineBytesMax: 64 * 1024, batchBytesMax: 512 * 1024 };

const LINE_FEED = 0x0a;

/** Reads a file of any size in batches of lines, and holds one of them at a time. Blank lines count and are left out. */
export async function* readLineBatches(
  chunks: AsyncIterable<Uint8Array>,
  limits: BatchLimits = BATCH_LIMITS,
): AsyncGenerator<LineBatch> {
  let lines: NumberedLine[] = [];
  let unreadable: UnreadableLine[] = [];
  let byteCount = 0;
  let lastLine = 0;
  for await (const octets of splitLines(chunks, limits.lineBytesMax)) {
    const read = readLine(octets);
    const size = read.kind === "text" ? Buffer.byteLength(JSON.stringify(read.text)) : 0;
    const isFull = lines.length + unreadable.length >= limits.linesMax || byteCount + size > limits.batchBytesMax;
    if (isFull) {
      yield { lines, unreadable, lastLine };
      [lines, unreadable, byteCount] = [[], [], 0];
    }
    lastLine += 1;
    byteCount += size;
    if (read.kind === "unreadable") unreadable.push({ line: lastLine, problem: read.problem });
    else if (read.text.trim() !== "") lines.push({ line: lastLine, text: read.text });
  }
  if (lastLine > 0) yield { lines, unreadable, lastLine };
}

/** `undefined` for a line that is longer than it may be, of which nothing is kept. */
async function* splitLines(chunks: AsyncIterable<Uint8Array>, bytesMax: number): AsyncGenerator<Buffer | undefined> {
  let parts: Buffer[] = [];
  let byteCount = 0;
  const keep = (part: Buffer): void => {
    byteCount += part.length;
    if (byteCount <= bytesMax) parts.push(Buffer.from(part));
    else parts = [];
  };
  const take = (): Buffer | undefined => {
    const line = byteCount > bytesMax ? undefined : Buffer.concat(parts);
    [parts, byteCount] = [[], 0];
    return line;
  };
  for await (const chunk of chunks) {
    let rest = Buffer.from(chunk);
    for (let at = rest.indexOf(LINE_FEED); at >= 0; at = rest.indexOf(LINE_FEED)) {
      keep(rest.subarray(0, at));
      yield take();
      rest = rest.subarray(at + 1);
    }
    keep(rest);
  }
  if (byteCount > 0) yield take();
}

type ReadLine =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "unreadable"; readonly problem: string };

function readLine(octets: Buffer | undefined): ReadLine {
  if (octets === undefined) return { kind: "unreadable", problem: "the line is too long" };
  try {
    return { kind: "text", text: new TextDecoder("utf-8", { fatal: true }).decode(octets) };
  } catch {
    return { kind: "unreadable", problem: "the line is not UTF-8" };
  }
}
