import { createReadStream } from "node:fs";
import { readFile } from "node:fs/promises";
import { createInterface } from "node:readline/promises";
import { Writable } from "node:stream";

/** What a command may ask of whoever typed it. */
export interface Terminal {
  /** Answers, for people or programs. */
  writeOut(text: string): void;
  /** What went wrong, and questions. */
  writeError(text: string): void;
  /** Whether a person sits in front of it. */
  readonly isInteractive: boolean;
  /** All of standard input, up to a mebibyte. */
  readInput(): Promise<string>;
  /** Asks on the terminal without showing what is typed. */
  askSecret(question: string): Promise<string>;
  readFile(path: string): Promise<string>;
  /** A file of any size, piece by piece; `-` is standard input. */
  streamFile(path: string): AsyncIterable<Uint8Array>;
}

const INPUT_BYTES_MAX = 1024 * 1024;

export function createTerminal(streams: Pick<NodeJS.Process, "stdin" | "stdout" | "stderr">): Terminal {
  const { stdin, stdout, stderr } = streams;
  return {
    writeOut: (text) => void stdout.write(text),
    writeError: (text) => void stderr.write(text),
    isInteractive: stdin.isTTY,
    async readInput() {
      const chunks: Buffer[] = [];
      let byteCount = 0;
      for await (const chunk of stdin) {
        const octets = Buffer.from(chunk);
        byteCount += octets.length;
        if (byteCount > INPUT_BYTES_MAX) throw new RangeError("standard input is larger than a mebibyte");
        chunks.push(octets);
      }
      return Buffer.concat(chunks).toString("utf8");
    },
    async askSecret(question) {
      stderr.write(question);
      // The terminal's own echo is off in readline's raw mode; readline's is written to nowhere.
      const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
      const prompt = createInterface({ input: stdin, output: nowhere, terminal: true });
      const stopped = new AbortController();
      prompt.once("SIGINT", () => stopped.abort());
      try {
        return await prompt.question("", { signal: stopped.signal });
      } finally {
        prompt.close();
        stderr.write("\n");
      }
    },
    readFile: (path) => readFile(path, "utf8"),
    streamFile: (path) => (path === "-" ? stdin : createReadStream(path)),
  };
}
