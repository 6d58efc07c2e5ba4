import { describe, expect, test } from "vitest";
import type { WebhookSummary } from "../webhooks/index.ts";
import { findingsOf, newDeployment, NOW_MS, seen, trouble } from "./deployment-fixture.ts";
import type { Seen } from "./finding.ts";

describe("webhooks", () => {
  const HOUR_MS = 60 * 60 * 1_000;
  const siem = (changes: Partial<WebhookSummary>): { readonly webhooks: Seen<readonly WebhookSummary[]> } => ({
    webhooks: seen([
      {
        id: "siem",
        url: "https://siem.example.com/in",
        kinds: undefined,
        createdAt: new Date(0),
        lastSuccessAt: undefined,
        disabledAt: undefined,
        disabledReason: undefined,
        waiting: 0,
        waitingSince: undefined,
        ...changes,
      },
    ]),
  });
  const { nowMs } = newDeployment();

  test.each([
    ["gone", "answered that it is gone (410)"],
    ["failing", "took nothing for three days"],
  ] as const)("one that is disabled as %s is a failure, with the way back", (disabledReason, why) => {
    const found = findingsOf(siem({ disabledAt: new Date(nowMs), disabledReason }));
    expect(found.filter(({ check }) => check === "webhooks")).toEqual([
      {
        check: "webhooks",
        status: "failure",
        meaning: `The webhook siem ${why}, and is told nothing any more.`,
        remedy: expect.stringContaining("latchkey webhook enable siem"),
      },
    ]);
  });

  test("one that an operator disabled is as it should be, and so is one that takes what it is told", () => {
    expect(trouble(siem({ disabledAt: new Date(nowMs), disabledReason: "operator" }))).toEqual([]);
    expect(trouble(siem({ waiting: 3, waitingSince: new Date(nowMs - HOUR_MS + 1) }))).toEqual([]);
  });

  test("one that has taken nothing for an hour is a warning", () => {
    expect(trouble(siem({ waiting: 3, waitingSince: new Date(nowMs - HOUR_MS) }))).toEqual([
      "warning webhooks: The webhook siem has not taken an event for an hour. After three days it is disabled.",
    ]);
  });
});

describe("the audit log", () => {
  const audit = { waiting: 3, oldestSeconds: 0.7, signedAt: new Date(NOW_MS), monthsAhead: 2 };

  test("that is sealed in time is well, and so is one that is empty", () => {
    expect(trouble({ audit: seen(audit) })).toEqual([]);
    expect(trouble({ audit: seen({ ...audit, waiting: 0, oldestSeconds: 0, signedAt: undefined }) })).toEqual([]);
  });

  test("that is not sealed is a failure", () => {
    expect(trouble({ audit: seen({ ...audit, oldestSeconds: 61 }) })).toEqual([
      expect.stringMatching(/^failure audit: .*have not been sealed for 61 seconds/),
    ]);
  });

  test("that has no room for next month is a warning", () => {
    expect(trouble({ audit: seen({ ...audit, monthsAhead: 0 }) })).toEqual([expect.stringMatching(/^warning audit: /)]);
  });
});
