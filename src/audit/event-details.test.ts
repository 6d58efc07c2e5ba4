import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { AUDIT_EVENTS_PAGE, auditEventsPage } from "../../docs/generate-audit-events.ts";
import { AUDIT_EVENTS, EVENT_DETAILS, undeclaredIn } from "./index.ts";

test("docs/audit-events.md is what its generator writes (node docs/generate-audit-events.ts)", () => {
  expect(readFileSync(AUDIT_EVENTS_PAGE, "utf8")).toBe(auditEventsPage());
});

test("every member of data that a sentence names is declared", () => {
  for (const [type, facts] of Object.entries(EVENT_DETAILS)) {
    const sentence = Object.entries(AUDIT_EVENTS).find(([name]) => name === type)?.[1] ?? "";
    for (const [, name] of sentence.matchAll(/`data\.(\w+)`/g)) expect(facts.data, type).toHaveProperty([name ?? ""]);
  }
});

test("what an event says beyond what is declared is found, a wrong kind included", () => {
  expect(undeclaredIn("recovery_code_used", { left: 3 })).toEqual([]);
  expect(undeclaredIn("recovery_code_used", { left: "3", code: "ABCD" })).toEqual(["left", "code"]);
  expect(undeclaredIn("session_started", { newBrowser: true })).toEqual([]);
  expect(undeclaredIn("consent_given", { scopes: ["openid"] })).toEqual([]);
});
