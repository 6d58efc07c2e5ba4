/** One event of a stream (HTML Living Standard, section 9.2). */
export interface StreamEvent {
  readonly name: string;
  readonly id: string | undefined;
  readonly data: string;
}

/** The stream is not one that may be gone on with. */
export class EventStreamFault extends Error {
  override readonly name = "EventStreamFault";
}

/** A revocation takes some 200 characters. */
const LINE_CHARACTERS_MAX = 16 * 1024;
const LINES_MAX = 32;

/**
 * Turns bytes into events. Stricter than a browser: what is not UTF-8 or larger than any event of ours is a fault, so
 * that a stream that has gone wrong is neither believed nor collected without end. Lines end with LF or CRLF.
 */
export function createEventStreamParser(onEvent: (event: StreamEvent) => void): { push(bytes: Uint8Array): void } {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  let rest = "";
  let lines: string[] = [];

  function takeLine(line: string): void {
    if (line.length > LINE_CHARACTERS_MAX) throw new EventStreamFault("a line is too long");
    if (line === "") {
      const event = readEvent(lines);
      lines = [];
      if (event !== undefined) onEvent(event);
    } else if (lines.push(line) > LINES_MAX) {
      throw new EventStreamFault("an event has too many lines");
    }
  }

  return {
    push(bytes) {
      const text = rest + decode(decoder, bytes);
      let start = 0;
      for (let end = text.indexOf("\n"); end >= 0; end = text.indexOf("\n", start)) {
        takeLine(text.slice(start, text.charAt(end - 1) === "\r" && end > start ? end - 1 : end));
        start = end + 1;
      }
      rest = text.slice(start);
      if (rest.length > LINE_CHARACTERS_MAX) throw new EventStreamFault("a line is too long");
    },
  };
}

function decode(decoder: InstanceType<typeof TextDecoder>, bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes, { stream: true });
  } catch {
    throw new EventStreamFault("it is no UTF-8");
  }
}

/** Absent: a comment, or an event without data, which is none. */
function readEvent(lines: readonly string[]): StreamEvent | undefined {
  let name = "message";
  let id: string | undefined;
  const data: string[] = [];
  for (const line of lines) {
    const colon = line.indexOf(":");
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(line.charAt(colon + 1) === " " ? colon + 2 : colon + 1);
    if (field === "event") name = value;
    else if (field === "id") id = value;
    else if (field === "data") data.push(value);
  }
  return data.length === 0 ? undefined : { name, id, data: data.join("\n") };
}
