import { expect, test } from "vitest";
import type { Invocation } from "./command.ts";
import { type Answer, failed } from "./execute.ts";
import { followEvents } from "./follow-events.ts";
import type { Format } from "./request.ts";
import type { Terminal } from "./terminal.ts";

const event = (position: string, data: object = {}) => ({
  schema: "latchkey.audit.v1",
  id: position,
  position,
  type: "session_started",
  occurredAt: "2026-01-02T03:04:05.000Z",
  actor: "person",
  outcome: "succeeded",
  accountId: "alice-1",
  data,
});

const page = (after: string, ...events: readonly object[]): Answer => ({
  outcome: "done",
  data: { events, after, isMore: false },
  text: "",
});

/** Follows until the answers are used up. */
async function follow(answers: readonly (Answer | undefined)[], format: Format, after?: string) {
  const written = { out: "", error: "" };
  const asked: unknown[] = [];
  const stop = new AbortController();
  const left = [...answers];
  const terminal = {
    writeOut: (text: string) => void (written.out += text),
    writeError: (text: string) => void (written.error += text),
  } as Terminal;
  const ask = async ({ input }: Invocation) => {
    asked.push(input);
    const answer = left.shift();
    if (left.length === 0) stop.abort();
    return answer;
  };
  const order = { wanted: { client: "shopWeb" }, after, format };
  const exitCode = await followEvents(order, { ask, terminal, signal: stop.signal, pauseMs: 1 });
  return { exitCode, ...written, asked };
}

test("events come as they are, one a line, and the next are asked for behind them", async () => {
  const { out, asked, exitCode } = await follow([page("7"), page("9", event("8"), event("9")), page("9")], "json");
  expect(
    out
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line)),
  ).toEqual([event("8"), event("9")]);
  expect(asked).toEqual([
    { client: "shopWeb", follow: { after: undefined } },
    { client: "shopWeb", follow: { after: "7" } },
    { client: "shopWeb", follow: { after: "9" } },
  ]);
  expect(exitCode).toBe(0);
});

test("a server or a store that is away is waited for, which is said once, and no event is lost or shown twice", async () => {
  const away = failed("STORE_UNAVAILABLE", "This server cannot reach its storage right now.");
  const answers = [page("8", event("8")), away, away, undefined, page("9", event("9"))];
  const { out, error, asked } = await follow(answers, "json", "7");
  expect(out.match(/"position":"\d"/g)).toEqual(['"position":"8"', '"position":"9"']);
  expect(error).toBe(
    "This server cannot reach its storage right now. It is asked again until it answers.\nIt answers again.\n",
  );
  expect(asked.at(-1)).toEqual({ client: "shopWeb", follow: { after: "8" } });
});

test("what is refused ends it", async () => {
  const refused = failed("ACCOUNT_NOT_FOUND", "There is no such account.");
  expect(await follow([refused, page("1")], "text")).toMatchObject({
    exitCode: 1,
    error: "There is no such account.\n",
  });
});

test("neither people nor programs get what acts on a terminal", async () => {
  const evil = event("8", { reason: "\u001b[31m\u009b\u2028" });
  const text = await follow([page("8", evil)], "text");
  expect(text.out).toBe(
    "2026-01-02 03:04:05Z  session_started           succeeded  person    alice-1                 -             -                reason=\\u001b[31m\\u009b\\u2028\n",
  );
  const json = await follow([page("8", evil)], "json");
  expect(JSON.parse(json.out)).toEqual(evil);
  // oxlint-disable-next-line no-control-regex
  expect(json.out.trimEnd()).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u2028]/);
});
