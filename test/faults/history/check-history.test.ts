import { describe, expect, test } from "vitest";
import { checkHistory, measureLatestAcceptanceMs, type Rule } from "./check-history.ts";
import type {
  EndingCall,
  History,
  Issuance,
  LoggedCall,
  RecordedRevocation,
  TokenFacts,
  Trial,
  Verification,
} from "./history.ts";

const STALE_AFTER_MS = 3_000;
const token: TokenFacts = {
  jti: "grant-1.a",
  sid: "session-1",
  aud: "orders",
  sub: "alice",
  clientId: "shopWeb",
  iat: 100,
};

function rulesBroken(calls: readonly LoggedCall[], records: readonly RecordedRevocation[] = []): readonly Rule[] {
  const history: History = { calls, records, staleAfterMs: STALE_AFTER_MS };
  return checkHistory(history).map(({ rule }) => rule);
}

interface At {
  readonly startMs?: number;
  readonly endMs?: number;
}

const span = ({ startMs = 0, endMs = startMs + 10 }: At) => ({ startMs, endMs });

function used(presented: string, refreshToken: string, at: At = {}): Issuance {
  return {
    type: "issuance",
    by: "refresh_token",
    presented,
    answer: { type: "issued", token, refreshToken },
    ...span(at),
  };
}

function redeemed(code: string, at: At = {}): Issuance {
  return { ...used(code, `${code}-r${at.startMs ?? 0}`, at), by: "code" };
}

function verified(changes: Partial<Verification> = {}): Verification {
  const facts = { verifier: "orders", onStale: "reject", position: undefined, answer: "accepted" } as const;
  return { type: "verification", token, ...facts, ...span(changes), ...changes };
}

function ended(changes: Partial<EndingCall> = {}): EndingCall {
  const facts = { ending: { kind: "session", sid: token.sid }, answer: "acknowledged" } as const;
  return { type: "ending", ...facts, ...span(changes), ...changes };
}

function tried(changes: Partial<Trial> = {}): Trial {
  const facts = { of: "cookie", at: "node", sid: token.sid, answer: "usable" } as const;
  return { type: "trial", ...facts, ...span({ startMs: 90_000 }), ...changes };
}

const issued = used("r0", "r1");
const bySession: RecordedRevocation = { id: 7, kind: "session", value: token.sid };

describe("a verifier", () => {
  const HEARD: Rule = "a verifier accepted what it had heard is revoked";
  const LONG: Rule = "a verifier accepted a token long after its end was acknowledged";

  test.each<RecordedRevocation>([
    bySession,
    { id: 7, kind: "consent", value: "grant-1" },
    { id: 7, kind: "token", value: token.jti },
    { id: 7, kind: "account", value: token.sub, issuedBefore: 101 },
    { id: 7, kind: "client", value: token.clientId, issuedBefore: 101 },
    { id: 7, kind: "epoch", value: "2", issuedBefore: 101 },
  ])("may not accept a token at the position of its $kind record, or later", (record) => {
    expect(rulesBroken([verified({ position: 6 })], [record])).toEqual([]);
    expect(rulesBroken([verified({ position: 7 })], [record])).toEqual([HEARD]);
    expect(rulesBroken([verified({ position: 8, onStale: "accept" })], [record])).toEqual([HEARD]);
    expect(rulesBroken([verified({ position: 8, answer: "token_revoked" })], [record])).toEqual([]);
  });

  test("may accept what was issued after the bound, and what has another name", () => {
    const records: RecordedRevocation[] = [
      { id: 1, kind: "account", value: token.sub, issuedBefore: 100 },
      { id: 2, kind: "consent", value: "grant" },
      { id: 3, kind: "session", value: token.sub },
      { id: 4, kind: "token", value: "grant-1" },
    ];
    expect(rulesBroken([verified({ position: 9 })], records)).toEqual([]);
  });

  test("may accept at the position of a record that only others are told of, until the end is acknowledged", () => {
    const accepted = verified({ position: 7, startMs: 100 });
    const forOthers = { ...bySession, audiences: ["ledger"] };
    expect(rulesBroken([issued, accepted], [{ ...bySession, audiences: ["ledger", "orders"] }])).toEqual([HEARD]);
    expect(rulesBroken([issued, accepted], [forOthers])).toEqual([]);
    expect(rulesBroken([issued, ended({ endMs: 100 }), accepted], [forOthers])).toEqual([]);
    const NOT_TOLD: Rule = "a verifier was not told of an end that was acknowledged before";
    expect(rulesBroken([issued, ended({ endMs: 99 }), accepted], [forOthers])).toEqual([NOT_TOLD]);
  });

  test("may be late by what staleness allows, and no later; one that accepts while it is stale may", () => {
    const ending = ended({ endMs: 1_000 });
    const lateMs = 1_000 + 2 * STALE_AFTER_MS + 2_000;
    expect(rulesBroken([issued, ending, verified({ startMs: lateMs })])).toEqual([]);
    expect(rulesBroken([issued, ending, verified({ startMs: lateMs + 1 })])).toEqual([LONG]);
    expect(rulesBroken([issued, ending, verified({ startMs: lateMs + 1, onStale: "accept" })])).toEqual([]);
    const unknown = ended({ endMs: 1_000, answer: "unknown" });
    expect(rulesBroken([issued, unknown, verified({ startMs: lateMs + 1 })])).toEqual([]);
  });
});

test("how late a token was accepted is measured where somebody promised anything", () => {
  const late = [verified({ startMs: 250 }), verified({ startMs: 400, answer: "token_revoked" })];
  const calls = [issued, ended({ endMs: 100 }), ...late, verified({ startMs: 900, onStale: "accept" })];
  expect(measureLatestAcceptanceMs({ calls, records: [], staleAfterMs: STALE_AFTER_MS })).toBe(150);
  expect(measureLatestAcceptanceMs({ calls: late, records: [], staleAfterMs: STALE_AFTER_MS })).toBe(0);
});

describe("introspection", () => {
  const ACTIVE: Rule = "introspection called a token active after its end was acknowledged";
  const asked = (startMs: number, answer: "active" | "inactive" = "active"): LoggedCall => ({
    type: "introspection",
    node: "near",
    token,
    answer,
    ...span({ startMs }),
  });

  test.each<EndingCall["ending"]>([
    { kind: "session", sid: "session-1" },
    { kind: "grant", grant: "grant-1" },
    { kind: "token", jti: token.jti },
  ])("may not call a token active when it is asked after the end of its $kind", (ending) => {
    const call = ended({ ending, startMs: 10, endMs: 20 });
    expect(rulesBroken([issued, call, asked(21)])).toEqual([ACTIVE]);
    expect(rulesBroken([issued, call, asked(21, "inactive")])).toEqual([]);
    expect(rulesBroken([issued, call, asked(20)])).toEqual([]);
    expect(rulesBroken([issued, { ...call, answer: "unknown" }, asked(21)])).toEqual([]);
  });
});

describe("what is consumed", () => {
  test("is, as a code, used once", () => {
    expect(rulesBroken([redeemed("c1"), redeemed("c2")])).toEqual([]);
    const TWICE: Rule = "something that can be used once was used twice";
    expect(rulesBroken([redeemed("c1"), redeemed("c1", { startMs: 5 })])).toEqual([TWICE]);
  });

  test("has, as a refresh token, one successor, however often it is given", () => {
    expect(rulesBroken([used("r1", "r2"), used("r1", "r2"), used("r2", "r3", { startMs: 20 })])).toEqual([]);
    const FORK: Rule = "a refresh token has two successors";
    expect(rulesBroken([used("r1", "r2"), used("r1", "r2b")])).toEqual([FORK]);
  });

  test("does not work after its successor was used; while that is under way it may", () => {
    const LATE: Rule = "a refresh token worked after its successor was used";
    const uses = [used("r1", "r2"), used("r2", "r3", { startMs: 100, endMs: 200 })];
    expect(rulesBroken([...uses, used("r1", "r2", { startMs: 150 })])).toEqual([]);
    expect(rulesBroken([...uses, used("r1", "r2", { startMs: 201 })])).toEqual([LATE]);
  });

  test("does not work after its window", () => {
    const LATE: Rule = "a refresh token worked after its window";
    expect(rulesBroken([used("r1", "r2"), used("r1", "r2", { startMs: 32_010 })])).toEqual([]);
    expect(rulesBroken([used("r1", "r2"), used("r1", "r2", { startMs: 32_011 })])).toEqual([LATE]);
  });
});

describe("an app that gets no tokens", () => {
  test("is told 503 or nothing, unless its code or token is refused", () => {
    const told = (status?: number): Issuance => ({ ...used("r1", "r2"), answer: { type: "unknown", status } });
    expect(rulesBroken([told(), told(503)])).toEqual([]);
    const OTHER: Rule = "a store that is away was answered with something other than 503";
    expect(rulesBroken([told(500), told(400)])).toEqual([OTHER, OTHER]);
  });
});

describe("an honest client", () => {
  const SIGNED_OUT: Rule = "an honest client was signed out";
  const refused = (sinceMs: number): Issuance => ({
    type: "issuance",
    by: "refresh_token",
    presented: "r1",
    answer: { type: "refused" },
    honest: { sid: token.sid, grant: "grant-1", sinceMs },
    ...span({ startMs: 30_000 }),
  });

  test("is not refused unless something ended its access, or was about to, or it tried for too long", () => {
    expect(rulesBroken([issued, refused(30_000)])).toEqual([SIGNED_OUT]);
    expect(rulesBroken([issued, refused(5_000)])).toEqual([SIGNED_OUT]);
    expect(rulesBroken([issued, refused(4_999)])).toEqual([]);
    for (const startMs of [100, 30_005]) {
      expect(rulesBroken([issued, ended({ startMs, answer: "unknown" }), refused(30_000)])).toEqual([]);
    }
    expect(rulesBroken([issued, ended({ startMs: 30_010 }), refused(30_000)])).toEqual([SIGNED_OUT]);
    const ofOne = ended({ ending: { kind: "token", jti: token.jti } });
    expect(rulesBroken([issued, ofOne, refused(30_000)])).toEqual([SIGNED_OUT]);
  });
});

describe("after everything was mended", () => {
  const FORGOTTEN: Rule = "an end was forgotten";
  const DEAD: Rule = "something that nobody ended is dead";
  const byGrant = ended({ ending: { kind: "grant", grant: "grant-1" } });

  test("nothing lives whose end was acknowledged", () => {
    const refresh = tried({ of: "refresh_token", grant: "grant-1" });
    const access = tried({ of: "access_token", token });
    expect(rulesBroken([issued, ended(), tried()])).toEqual([FORGOTTEN]);
    expect(rulesBroken([issued, ended(), refresh])).toEqual([FORGOTTEN]);
    expect(rulesBroken([issued, ended(), access])).toEqual([FORGOTTEN]);
    expect(rulesBroken([issued, byGrant, refresh])).toEqual([FORGOTTEN]);
    expect(rulesBroken([issued, byGrant, access])).toEqual([FORGOTTEN]);
    expect(rulesBroken([issued, byGrant, tried()])).toEqual([]);
    for (const record of [bySession, { ...bySession, audiences: [] }]) {
      expect(rulesBroken([issued, access], [record])).toEqual([FORGOTTEN]);
    }
  });

  test("what perhaps ended may be either; what nobody touched lives", () => {
    const unknown = ended({ answer: "unknown" });
    for (const answer of ["usable", "refused"] as const) {
      expect(rulesBroken([issued, unknown, tried({ answer })])).toEqual([]);
    }
    expect(rulesBroken([issued, tried({ answer: "refused" })])).toEqual([DEAD]);
    expect(rulesBroken([issued, byGrant, tried({ answer: "refused" })])).toEqual([DEAD]);
    expect(rulesBroken([issued, tried({ of: "refresh_token", grant: "grant-1", answer: "refused" })])).toEqual([DEAD]);
  });

  test("an access token is dead exactly when a record says so", () => {
    const access = tried({ of: "access_token", token, answer: "refused" });
    expect(rulesBroken([issued, access], [bySession])).toEqual([]);
    expect(rulesBroken([issued, ended({ answer: "unknown" }), access])).toEqual([DEAD]);
    // Acknowledged, and refused for some other reason: there is no record that services could hear of.
    expect(rulesBroken([issued, ended(), access])).toEqual([DEAD]);
  });
});
