import { expect, test } from "vitest";
import { inspectConfig } from "../config/index.ts";
import { answerConfigCheck } from "./config-check.ts";
import { failed, type Answer } from "./execute.ts";
import { printAnswer } from "./print-answer.ts";
import type { Format } from "./request.ts";
import type { Terminal } from "./terminal.ts";

function print(answer: Answer, format: Format) {
  const written = { out: "", error: "" };
  const unused = (): never => {
    throw new Error("printing asks for nothing");
  };
  const terminal: Terminal = {
    writeOut: (text) => void (written.out += text),
    writeError: (text) => void (written.error += text),
    isInteractive: false,
    readInput: unused,
    askSecret: unused,
    streamFile: unused,
    readFile: unused,
  };
  return { exitCode: printAnswer(terminal, answer, format), ...written };
}

const done: Answer = { outcome: "done", data: { id: "shopWeb" }, text: "Done.\n" };
const refused: Answer = { ...failed("CLIENT_INVALID", "Not valid."), faults: [{ key: "name", problem: "is missing" }] };

test("people get text, and faults line by line on standard error", () => {
  expect(print(done, "text")).toEqual({ exitCode: 0, out: "Done.\n", error: "" });
  expect(print(refused, "text")).toEqual({ exitCode: 1, out: "", error: "Not valid.\n  name is missing.\n" });
});

test("programs get JSON on standard output, failures too", () => {
  expect(JSON.parse(print(done, "json").out)).toEqual({ id: "shopWeb" });
  const failure = print(refused, "json");
  expect(failure).toMatchObject({ exitCode: 1, error: "" });
  expect(JSON.parse(failure.out)).toEqual({
    error: { code: "CLIENT_INVALID", message: "Not valid.", faults: [{ key: "name", problem: "is missing" }] },
  });
});

test("config check shows what is in force, and of a secret only that it is set", () => {
  const secret = "0123456789abcdefghijklmnopqrstuvwxyz";
  const { exitCode, out } = print(answerConfigCheck(inspectConfig({ LATCHKEY_SECRET: secret, PORT: "4000" })), "text");
  expect(exitCode).toBe(0);
  expect(out).toMatch(/^The configuration is complete\.\n/);
  expect(out).toMatch(/LATCHKEY_SECRET +set +environment/);
  expect(out).toMatch(/PORT +4000 +environment/);
  expect(out).toMatch(/HOST +127\.0\.0\.1 +default/);
  expect(out).not.toContain(secret);
});

test("config check names all faults, with examples, and fails", () => {
  const { exitCode, error } = print(answerConfigCheck(inspectConfig({ PORT: "x", LOG_LEVEL: "loud" })), "text");
  expect(exitCode).toBe(1);
  expect(error).toBe(
    "The configuration has 2 faults:\n" +
      "  PORT is not a port number; for example: 3000.\n  LOG_LEVEL is no log level; for example: info.\n",
  );
});
