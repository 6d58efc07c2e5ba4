import { describe, expect, test } from "vitest";
import { createEventStreamParser, EventStreamFault, type StreamEvent } from "./event-stream.ts";

const encoder = new TextEncoder();

/** Parses the text in pieces of `size` bytes. */
function parse(text: string, size = text.length): readonly StreamEvent[] {
  const events: StreamEvent[] = [];
  const parser = createEventStreamParser((event) => events.push(event));
  const bytes = encoder.encode(text);
  for (let start = 0; start < bytes.length; start += size) parser.push(bytes.subarray(start, start + size));
  return events;
}

const STREAM = [
  ": a comment",
  "",
  "event: revocation",
  "id: 12",
  'data: {"kind":"session","value":"söme"}',
  "",
  "event:heartbeat",
  "id:13",
  "data",
  "",
  "data: one",
  "data: two",
  "",
  "event: without-data",
  "",
  "data: not complete",
  "",
].join("\n");

const EVENTS = [
  { name: "revocation", id: "12", data: '{"kind":"session","value":"söme"}' },
  { name: "heartbeat", id: "13", data: "" },
  { name: "message", id: undefined, data: "one\ntwo" },
];

describe("the event stream", () => {
  test.each([1, 2, 3, 7, 64, 10_000])("is read alike in pieces of %i bytes", (size) => {
    expect(parse(STREAM, size)).toEqual(EVENTS);
  });

  test.each([1, 5, 10_000])("may end its lines with CRLF, in pieces of %i bytes", (size) => {
    expect(parse(STREAM.replaceAll("\n", "\r\n"), size)).toEqual(EVENTS);
  });

  test("a line at the limit is read, and one past it is a fault, complete or not", () => {
    const longest = `data: ${"x".repeat(16 * 1_024 - 6)}`;
    expect(parse(`${longest}\n\n`)).toHaveLength(1);
    expect(() => parse(`${longest}x\n\n`)).toThrow(EventStreamFault);
    expect(() => parse(`${longest}x`, 1_000)).toThrow(EventStreamFault);
  });

  test("an event at the limit of lines is read, and one past it is a fault", () => {
    expect(parse(`${"data: x\n".repeat(32)}\n`)).toHaveLength(1);
    expect(() => parse(`${"data: x\n".repeat(33)}\n`)).toThrow(EventStreamFault);
  });

  test("what is no UTF-8 is a fault", () => {
    const parser = createEventStreamParser(() => undefined);
    expect(() => parser.push(Uint8Array.of(0x64, 0xff, 0x0a))).toThrow(EventStreamFault);
  });
});
