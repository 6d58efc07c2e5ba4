import { expect, test } from "vitest";
import type { WebhookSummary } from "../webhooks/index.ts";
import type { Services } from "./command.ts";
import { executeCommand } from "./execute.ts";

const SIEM: WebhookSummary = {
  id: "siem",
  url: "https://siem.example.com/in",
  kinds: ["session_started", "password_reset"],
  createdAt: new Date(0),
  lastSuccessAt: new Date(Date.UTC(2026, 0, 2, 3, 4)),
  disabledAt: undefined,
  disabledReason: undefined,
  waiting: 3,
  waitingSince: new Date(0),
};

const calls: (readonly unknown[])[] = [];
const noting =
  <Result>(name: string, result: Result) =>
  async (...given: readonly unknown[]): Promise<Result> => {
    calls.push([name, ...given]);
    return result;
  };

async function execute(command: string, input: object, webhooks: object) {
  calls.length = 0;
  const services = { webhooks, migrations: { listPending: async () => [] } } as unknown as Services;
  return executeCommand(services, { command, input }, (error) => {
    throw error;
  });
}

test("a webhook that is added shows its secret once, and says from when on it is told", async () => {
  const webhooks = { add: noting("add", { id: "siem", secret: "whsec_c2VjcmV0" }) };
  const answer = await execute("webhook add", { id: "siem", url: SIEM.url, kinds: ["session_started"] }, webhooks);
  expect(calls).toEqual([["add", { id: "siem", url: SIEM.url, kinds: ["session_started"] }]]);
  expect(answer).toMatchObject({ data: { secret: "whsec_c2VjcmV0" }, text: expect.stringContaining("whsec_c2VjcmV0") });
});

test("the list says where each goes, of what it is told, how it is, and how much waits", async () => {
  const gone: WebhookSummary = {
    ...SIEM,
    id: "old",
    kinds: undefined,
    lastSuccessAt: undefined,
    disabledAt: new Date(0),
    disabledReason: "gone",
  };
  const answer = await execute("webhook list", {}, { list: noting("list", [SIEM, gone]) });
  const text = answer.outcome === "done" ? answer.text : "";
  expect(text).toMatch(/siem +https:\S+ +session_started, password_reset +enabled +2026-01-02 03:04Z +3/);
  expect(text).toMatch(/old +https:\S+ +all +disabled \(answered 410\) +- +3/);
  expect(await execute("webhook list", {}, { list: noting("list", []) })).toMatchObject({
    text: expect.stringContaining("latchkey webhook add"),
  });
});

test("a secret is rotated, and the old one signs on for as long as was asked", async () => {
  const webhooks = { rotate: noting("rotate", { secret: "whsec_bmV3" }) };
  const answer = await execute("webhook rotate", { id: "siem", keepOldForSeconds: 3_600 }, webhooks);
  expect(calls).toEqual([["rotate", "siem", 3_600]]);
  expect(answer).toMatchObject({ text: expect.stringMatching(/signs as well for 3600 seconds more[^]*whsec_bmV3/) });
});

test.each(["remove", "enable", "disable"])("%s is done to the one that is named", async (name) => {
  const answer = await execute(`webhook ${name}`, { id: "siem" }, { [name]: noting(name, undefined) });
  expect(calls).toEqual([[name, "siem"]]);
  expect(answer).toMatchObject({ outcome: "done", data: { id: "siem" } });
});

test.each([
  [{ type: "answered", status: 204 }, undefined, "it took the message"],
  [{ type: "answered", status: 503 }, 1, "would be tried again"],
  [{ type: "failed", reason: "timeout" }, 1, "did not answer in time"],
  [{ type: "refused", reason: "address" }, 1, "OUTBOUND_ALLOWED_NETWORKS"],
])("a test that comes to %j ends with %s", async (result, exitCode, sentence) => {
  const answer = await execute("webhook test", { id: "siem" }, { test: noting("test", result) });
  expect(answer).toMatchObject({ text: expect.stringContaining(sentence) });
  expect("exitCode" in answer ? answer.exitCode : undefined).toBe(exitCode);
});
