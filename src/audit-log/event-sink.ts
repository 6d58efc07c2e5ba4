import { type FileHandle, open, stat } from "node:fs/promises";
import type { Writable } from "node:stream";

/** Where lines go. */
export interface EventSink {
  /** Resolves when the lines are written as a whole, each with its end. @throws where they are not, or not all of them. */
  write(lines: readonly string[]): Promise<void>;
  close(): Promise<void>;
}

/** Standard output. What stands there beside the events is our log. */
export function openOutputSink(output: Pick<Writable, "write"> = process.stdout): EventSink {
  return {
    async write(lines) {
      // One at a time: what is longer than a pipe takes in one piece could be torn by whoever else writes to it.
      for (const line of lines) await writeTo(output, `${line}\n`);
    },
    close: async () => undefined,
  };
}

function writeTo(output: Pick<Writable, "write">, text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    output.write(text, (error) => {
      if (error instanceof Error) reject(error);
      else resolve();
    });
  });
}

const LINE_END = 0x0a;

interface OpenFile {
  readonly handle: FileHandle;
  /** Whether its last line has no end: somebody died over it. */
  endsMidLine: boolean;
}

/**
 * A file that only its owner can read, and that is only added to. Whoever rotates files moves or removes it, and tells nobody:
 * before lines are written it is looked whether the file of that name is still ours.
 */
export function openFileSink(path: string): EventSink {
  let file: OpenFile | undefined;

  async function reopen(): Promise<OpenFile> {
    if (file !== undefined && (await isStillAt(path, file.handle))) return file;
    await file?.handle.close();
    file = undefined;
    const handle = await open(path, "a+", 0o600);
    file = { handle, endsMidLine: await endsMidLine(handle) };
    return file;
  }

  return {
    async write(lines) {
      const current = await reopen();
      const text = lines.map((line) => `${line}\n`).join("");
      const start = current.endsMidLine ? "\n" : "";
      // Until all of it is there, the last line may be half of one.
      current.endsMidLine = true;
      await current.handle.appendFile(`${start}${text}`);
      current.endsMidLine = false;
      await current.handle.datasync();
    },
    async close() {
      await file?.handle.close();
      file = undefined;
    },
  };
}

async function isStillAt(path: string, handle: FileHandle): Promise<boolean> {
  const [there, ours] = await Promise.all([stat(path).catch(() => undefined), handle.stat()]);
  return there !== undefined && there.ino === ours.ino && there.dev === ours.dev;
}

async function endsMidLine(handle: FileHandle): Promise<boolean> {
  const { size, isFile } = await describe(handle);
  if (!isFile || size === 0) return false;
  const { buffer } = await handle.read(Buffer.alloc(1), 0, 1, size - 1);
  return buffer[0] !== LINE_END;
}

async function describe(handle: FileHandle) {
  const stats = await handle.stat();
  return { size: stats.size, isFile: stats.isFile() };
}
