import { describe, expect, test } from "vitest";
import { decideEnding } from "./ending.ts";
import type { ProtocolSession } from "./protocol-sessions.ts";
import { revocationsOf, stillUntold } from "./what-ends.ts";

const ORDERS = "https://orders.example.com";
const LEDGER = "https://ledger.example.com";

function sessionWith(grants: ProtocolSession["grants"], clientIds: readonly string[] = ["shopWeb"]): ProtocolSession {
  return { id: "tag", isAlive: true, begunAt: 0, lastUsedAt: 0, acr: undefined, amr: [], clientIds, grants };
}

const shop = { id: "tag-shop", clientId: "shopWeb", audiences: [ORDERS], lastUsedAt: 0, outlivesSession: false };
const reports = {
  id: "tag-reports",
  clientId: "reportsCli",
  audiences: [LEDGER, ORDERS],
  lastUsedAt: 0,
  outlivesSession: true,
};
const open = { id: "tag", end_scope: null, ended_grants: [], cleared: 0 } as const;
const signedOut = { ...open, end_scope: "session" } as const;
const whole = { ...open, end_scope: "whole" } as const;

describe("an ending", () => {
  test.each([
    [undefined, "session", "end"],
    [undefined, "whole", "end"],
    ["session", "whole", "upgrade"],
    ["session", "session", "nothing"],
    ["whole", "session", "nothing"],
    ["whole", "whole", "nothing"],
  ] as const)("of what ended as %s, asked for as %s, is: %s", (endScope, wanted, decision) => {
    expect(decideEnding({ endScope }, wanted)).toBe(decision);
  });
});

describe("what is revoked", () => {
  test("of a session is told to the APIs of its grants, each once", () => {
    expect(revocationsOf(signedOut, sessionWith([shop, reports]))).toEqual([
      { kind: "session", sessionId: "tag", audiences: [ORDERS, LEDGER] },
    ]);
  });

  test("of a whole sign-in names the grants that outlive a session, whose later tokens do not name it", () => {
    expect(revocationsOf(whole, sessionWith([shop, reports]))).toEqual([
      { kind: "session", sessionId: "tag", audiences: [ORDERS, LEDGER] },
      { kind: "consent", grantId: "tag-reports", audiences: [LEDGER, ORDERS] },
    ]);
  });

  test("is told to everybody when nobody knows whom it concerns", () => {
    expect(revocationsOf(signedOut, undefined)).toEqual([{ kind: "session", sessionId: "tag", audiences: "all" }]);
  });

  test("of a grant alone is that grant", () => {
    expect(revocationsOf({ ...open, ended_grants: ["tag-shop"] }, sessionWith([shop, reports]))).toEqual([
      { kind: "consent", grantId: "tag-shop", audiences: [ORDERS] },
    ]);
  });
});

describe("what turns up while clearing", () => {
  const told = { revocations: revocationsOf(signedOut, sessionWith([shop])), clientIds: ["shopWeb"] };

  test("is told to those who have not been told", () => {
    const late = {
      id: "tag-late",
      clientId: "mailWeb",
      audiences: [ORDERS, LEDGER],
      lastUsedAt: 0,
      outlivesSession: false,
    };
    expect(stillUntold(signedOut, sessionWith([shop, late], ["shopWeb", "mailWeb"]), told)).toEqual({
      revocations: [{ kind: "session", sessionId: "tag", audiences: [LEDGER] }],
      clientIds: ["mailWeb"],
    });
  });

  test("is nothing new where everything was known, or everybody was told", () => {
    expect(stillUntold(signedOut, sessionWith([shop]), told)).toEqual({ revocations: [], clientIds: [] });
    const everybody = { revocations: revocationsOf(signedOut, undefined), clientIds: ["shopWeb"] };
    expect(stillUntold(signedOut, sessionWith([reports]), everybody)).toEqual({ revocations: [], clientIds: [] });
    expect(stillUntold(signedOut, undefined, { revocations: [], clientIds: [] })).toEqual({
      revocations: [],
      clientIds: [],
    });
  });

  test("in a copy of the store from the past is revoked again, and no app is told again", () => {
    const nothing = { revocations: [], clientIds: [] };
    expect(stillUntold({ ...signedOut, cleared: 1 }, sessionWith([shop]), nothing)).toEqual({
      revocations: [{ kind: "session", sessionId: "tag", audiences: [ORDERS] }],
      clientIds: [],
    });
  });
});
