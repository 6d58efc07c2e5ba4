import { expect, test } from "vitest";
import type { Finding } from "../doctor/index.ts";
import type { Services } from "./command.ts";
import { couldNotCheck } from "./doctor-command.ts";
import { executeCommand, leavesUntouched } from "./execute.ts";

const WELL: Finding = { check: "postgres", status: "ok", meaning: "It answers." };
const WARNING: Finding = { check: "tls", status: "warning", meaning: "It ends.", remedy: "Renew it." };
const WRONG: Finding = {
  check: "redis.eviction",
  status: "failure",
  meaning: "It forgets.",
  remedy: "Tell it not to.",
};
const UNCHECKED: Finding = { check: "issuer", status: "unchecked", meaning: "It is away.", remedy: "Mend that first." };

async function examine(...findings: readonly Finding[]) {
  const services = { doctor: { examine: async () => findings } } as unknown as Services;
  return executeCommand(services, { command: "doctor", input: {} }, () => undefined);
}

test.each([
  [[WELL], undefined, "well"],
  [[WELL, WARNING], undefined, "well"],
  [[WELL, UNCHECKED], 2, "unknown"],
  [[WRONG, UNCHECKED], 1, "wrong"],
] as const)("case %#: scripts are told %s", async (findings, exitCode, verdict) => {
  const answer = await examine(...findings);
  expect(answer).toMatchObject({ outcome: "done", data: { verdict, findings } });
  expect("exitCode" in answer ? answer.exitCode : undefined).toBe(exitCode);
});

test("people read what was found, what it means and what to do", async () => {
  expect(await examine(WELL, WARNING, WRONG)).toMatchObject({
    text: [
      "ok       postgres        It answers.",
      "WARNING  tls             It ends.",
      "                         -> Renew it.",
      "FAILURE  redis.eviction  It forgets.",
      "                         -> Tell it not to.",
      "",
      "Something is wrong: 1 failure, 1 warning.",
    ].join("\n"),
  });
  expect(await examine(WELL)).toMatchObject({ text: expect.stringMatching(/\n\nAll is well\.$/) });
});

test("it only looks, and where it could not it says so to scripts", () => {
  expect(leavesUntouched({ command: "doctor", input: {} })).toBe(true);
  expect(couldNotCheck({ command: "doctor", input: {} })).toBe(true);
  expect(couldNotCheck({ command: "migrate", input: {} })).toBe(false);
});
