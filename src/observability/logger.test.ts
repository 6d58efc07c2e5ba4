import { describe, expect, test } from "vitest";
import { createLogger } from "./logger.ts";
import { REDACTED_FIELDS } from "./redaction.ts";

const SECRET = "hunter2-must-not-be-seen";

function createRecorder() {
  const lines: string[] = [];
  return { lines, logger: createLogger({ level: "debug", destination: { write: (line) => void lines.push(line) } }) };
}

function nest(fields: Record<string, unknown>, depth: number): Record<string, unknown> {
  return depth === 1 ? fields : { request_of: nest(fields, depth - 1) };
}

describe.each([1, 2, 3, 4])("at depth %i", (depth) => {
  test.each(REDACTED_FIELDS)("what stands under %s is not written [ASVS 16.2.5]", (field) => {
    const { lines, logger } = createRecorder();
    logger.info(nest({ [field]: SECRET, kept: "kept" }, depth), "a sentence");
    expect(lines).toHaveLength(1);
    expect(lines[0]).not.toContain(SECRET);
    expect(lines[0]).toContain('"[redacted]"');
    expect(lines[0]).toContain('"kept":"kept"');
  });

  test("an object under such a name is not written either", () => {
    const { lines, logger } = createRecorder();
    logger.error(nest({ token: { value: SECRET, parts: [SECRET] } }, depth), "a sentence");
    expect(lines.join("")).not.toContain(SECRET);
  });
});

test("what a child logger carries is redacted too", () => {
  const { lines, logger } = createRecorder();
  logger
    .child({ authorization: SECRET, headers: { cookie: SECRET } })
    .warn({ body: { password: SECRET } }, "a sentence");
  expect(lines).toHaveLength(1);
  expect(lines[0]).not.toContain(SECRET);
});

test("a line is one JSON object with level, time and sentence", () => {
  const { lines, logger } = createRecorder();
  logger.info({ request_id: "r1" }, "a sentence");
  const line = JSON.parse(lines[0] ?? "") as Record<string, unknown>;
  expect(line).toEqual({
    level: "info",
    time: expect.stringMatching(/^\d{4}-.*Z$/),
    request_id: "r1",
    msg: "a sentence",
  });
});

test("lines below the level are not written", () => {
  const lines: string[] = [];
  const logger = createLogger({ level: "warn", destination: { write: (line) => void lines.push(line) } });
  logger.info({}, "not this");
  logger.warn({}, "but this");
  expect(lines).toHaveLength(1);
});
