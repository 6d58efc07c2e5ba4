import { describe, expect, test } from "vitest";
import { type BatchLimits, readLineBatches } from "./import-lines.ts";

const LIMITS: BatchLimits = { linesMax: 3, lineBytesMax: 20, batchBytesMax: 40 };

/** What is read of a text that comes in pieces of so many bytes. */
async function readAll(content: string | Buffer, { pieceBytes = 7, limits = LIMITS } = {}) {
  const octets = Buffer.from(content);
  async function* pieces() {
    for (let at = 0; at < octets.length; at += pieceBytes) yield octets.subarray(at, at + pieceBytes);
  }
  const batches = [];
  for await (const batch of readLineBatches(pieces(), limits)) batches.push(batch);
  return batches;
}

describe("a file that is read in batches", () => {
  test.each([1, 2, 3, 7, 1_000])("has the same lines whether it comes in pieces of %d bytes", async (pieceBytes) => {
    const batches = await readAll('{"a":"é"}\r\n\n{"b":"🐙"}\n{"c":1}\n{"d":2}', { pieceBytes });
    expect(batches).toEqual([
      {
        lines: [
          { line: 1, text: '{"a":"é"}\r' },
          { line: 3, text: '{"b":"🐙"}' },
        ],
        unreadable: [],
        lastLine: 3,
      },
      {
        lines: [
          { line: 4, text: '{"c":1}' },
          { line: 5, text: '{"d":2}' },
        ],
        unreadable: [],
        lastLine: 5,
      },
    ]);
  });

  test("has no more lines in a batch than it may, nor more bytes", async () => {
    const many = await readAll("1\n".repeat(7));
    expect(many.map(({ lines }) => lines.length)).toEqual([3, 3, 1]);
    const long = await readAll(`${"x".repeat(16)}\n`.repeat(3));
    expect(long.map(({ lines }) => lines.length)).toEqual([2, 1]);
  });

  test("says which lines are too long or no text, keeps nothing of them, and goes on after them", async () => {
    const noText = Buffer.from([0xff, 0xfe, 0x0a]);
    const content = Buffer.concat([Buffer.from(`${"x".repeat(21)}\n${"y".repeat(20)}\n`), noText, Buffer.from("{}\n")]);
    const [first, second] = await readAll(content);
    expect(first?.unreadable).toEqual([
      { line: 1, problem: "the line is too long" },
      { line: 3, problem: "the line is not UTF-8" },
    ]);
    expect([...(first?.lines ?? []), ...(second?.lines ?? [])]).toEqual([
      { line: 2, text: "y".repeat(20) },
      { line: 4, text: "{}" },
    ]);
  });

  test("without a line has no batch", async () => {
    expect(await readAll("")).toEqual([]);
  });

  test("gives up on a line without an end, and reads to the end of the file", async () => {
    let given = 0;
    async function* endless() {
      for (; given < 200; given += 1) yield Buffer.alloc(1024 * 1024, "x");
    }
    const batches = [];
    for await (const batch of readLineBatches(endless())) batches.push(batch);
    expect(batches).toEqual([{ lines: [], unreadable: [{ line: 1, problem: "the line is too long" }], lastLine: 1 }]);
    expect(given).toBe(200);
  });
});
