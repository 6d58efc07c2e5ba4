import { beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { AuditEventType } from "../audit/index.ts";
import type { AnsweredRequest } from "../http/index.ts";
import { closedValues, firstValues } from "./bounded-values.ts";
import { createMetrics, type Metrics, type MetricSources } from "./index.ts";

let metrics: Metrics;
beforeEach(async () => {
  metrics = await createMetrics();
  return () => metrics.close();
});

async function linesOf(name: string): Promise<readonly string[]> {
  return (await metrics.render()).text.split("\n").filter((line) => line.startsWith(name));
}

/** Without what is there from the start, and was not counted. */
async function countedOf(name: string): Promise<readonly string[]> {
  return (await linesOf(name)).filter((line) => !line.endsWith(" 0"));
}

const REQUEST: AnsweredRequest = {
  method: "GET",
  route: "/account",
  status: 200,
  outcome: "ok",
  reason: undefined,
  tookMs: 30,
};

describe("a label", () => {
  test("of known values has `other` for any that is not", () => {
    const valueOf = closedValues(["a", "b"]);
    expect(["a", "b", "c", ""].map(valueOf)).toEqual(["a", "b", "other", "other"]);
  });

  test("of values that nobody lists has as many as it may, and `other` from the next one on", () => {
    const valueOf = firstValues(3);
    expect(["a", "b", "c", "d", "a"].map(valueOf)).toEqual(["a", "b", "c", "other", "a"]);
  });

  test.each(['a"b', "a\nb", "a b", "", "x".repeat(81)])("never has %j", (value) => {
    expect(firstValues(3)(value)).toBe("other");
  });
});

describe("requests", () => {
  test("are counted by pattern, method, class of status and outcome, in buckets that add up", async () => {
    for (const tookMs of [1, 30, 30, 20_000]) metrics.onAnswered({ ...REQUEST, tookMs });
    const labels = 'route="/account",method="GET",status="2xx",outcome="ok"';
    const name = "latchkey_http_request_duration_seconds";
    const lines = await linesOf(name);
    expect(lines).toContain(`${name}_bucket{le="0.002",${labels}} 1`);
    expect(lines).toContain(`${name}_bucket{le="0.025",${labels}} 1`);
    expect(lines).toContain(`${name}_bucket{le="0.05",${labels}} 3`);
    expect(lines).toContain(`${name}_bucket{le="10",${labels}} 3`);
    expect(lines).toContain(`${name}_bucket{le="+Inf",${labels}} 4`);
    expect(lines).toContain(`${name}_count{${labels}} 4`);
    expect(lines).toContain(`${name}_sum{${labels}} 20.061`);
  });

  test("without a pattern, and of a method that nobody offers, are `other`", async () => {
    for (const method of ["PROPFIND", "MADE-UP", "get"]) metrics.onAnswered({ ...REQUEST, method, route: undefined });
    const lines = await linesOf("latchkey_http_request_duration_seconds_count");
    expect(lines).toEqual([
      'latchkey_http_request_duration_seconds_count{route="other",method="other",status="2xx",outcome="ok"} 3',
    ]);
  });

  test("that were refused are counted by reason, also where none is known", async () => {
    metrics.onAnswered({ ...REQUEST, status: 400, outcome: "refused", reason: "invalid_grant" });
    metrics.onAnswered({ ...REQUEST, status: 303, outcome: "refused", reason: "login_required" });
    metrics.onAnswered({ ...REQUEST, status: 404, outcome: "refused" });
    metrics.onAnswered(REQUEST);
    expect(await linesOf("latchkey_http_refusals_total")).toEqual([
      'latchkey_http_refusals_total{reason="invalid_grant"} 1',
      'latchkey_http_refusals_total{reason="login_required"} 1',
      'latchkey_http_refusals_total{reason="other"} 1',
    ]);
  });
});

describe("the audit log", () => {
  test.each<[AuditEventType, string | undefined, readonly string[]]>([
    ["sign_in_succeeded", undefined, ['latchkey_sign_ins_total{method="password",result="succeeded"} 1']],
    ["sign_in_failed", undefined, ['latchkey_sign_ins_total{method="password",result="failed"} 1']],
    ["sign_in_throttled", undefined, ['latchkey_sign_ins_total{method="password",result="throttled"} 1']],
    ["factor_verified", "totp", ['latchkey_factors_total{factor="totp",event="verified"} 1']],
    [
      "factor_verified",
      "passkey",
      [
        'latchkey_sign_ins_total{method="passkey",result="succeeded"} 1',
        'latchkey_factors_total{factor="passkey",event="verified"} 1',
      ],
    ],
    [
      "passkey_failed",
      undefined,
      [
        'latchkey_sign_ins_total{method="passkey",result="failed"} 1',
        'latchkey_factors_total{factor="passkey",event="refused"} 1',
      ],
    ],
    ["factor_failed", "recovery_code", ['latchkey_factors_total{factor="recovery_code",event="refused"} 1']],
    ["factor_paused", "totp", ['latchkey_factors_total{factor="totp",event="paused"} 1']],
    ["factor_removed", "passkey", ['latchkey_factors_total{factor="passkey",event="removed"} 1']],
    ["factor_enrolled", "made up", ['latchkey_factors_total{factor="other",event="enrolled"} 1']],
    ["recovery_codes_made", undefined, ['latchkey_factors_total{factor="recovery_code",event="enrolled"} 1']],
    ["client_created", undefined, []],
  ])("%s (%s) is an event, and counts what it tells of", async (type, factor, lines) => {
    metrics.onAuditEvent({ type, accountId: "alice-1", ...(factor === undefined ? {} : { data: { factor } }) });
    expect(await countedOf("latchkey_audit_events_total")).toEqual([`latchkey_audit_events_total{type="${type}"} 1`]);
    const counted = [...(await countedOf("latchkey_sign_ins_total")), ...(await countedOf("latchkey_factors_total"))];
    expect(counted).toEqual(lines);
  });
});

test("a counter of what is rare is there before it happens, so that its beginning shows", async () => {
  expect(await linesOf("latchkey_audit_events_total")).toContain('latchkey_audit_events_total{type="epoch_started"} 0');
  expect(await linesOf("latchkey_refreshes_total")).toContain('latchkey_refreshes_total{outcome="reuse"} 0');
  expect(await linesOf("latchkey_revocations_total")).toContain('latchkey_revocations_total{kind="epoch"} 0');
  expect(await linesOf("latchkey_factors_total")).toContain('latchkey_factors_total{factor="totp",event="paused"} 0');
});

describe("tokens", () => {
  test("of a grant type that is none of ours are `other`", async () => {
    metrics.protocol.tokenIssued("urn:made:up", "jwt");
    expect(await countedOf("latchkey_tokens_issued_total")).toEqual([
      'latchkey_tokens_issued_total{grant_type="other",format="jwt"} 1',
    ]);
  });
});

describe("what is read when somebody looks", () => {
  const clock = { now: 1_000_000, nowMs: () => clock.now };
  let asked = 0;
  beforeAll(() => {
    clock.now = 1_000_000;
  });

  const sources = (changes: Partial<MetricSources> = {}): MetricSources => ({
    clock,
    hashingLoad: () => ({ running: 1, waiting: 5, refused: 7 }),
    feedConnections: () => 3,
    listKeys: async () => {
      asked += 1;
      return [{ algorithm: "ES256", state: "current", count: 1, sinceMs: clock.now - 5_000 }];
    },
    readMailBacklog: async () => ({ waiting: 2, oldestSeconds: 30 }),
    readWebhookBacklog: async () => ({ waiting: 3, oldestSeconds: 40 }),
    readAuditBacklog: async () => ({ waiting: 3, oldestSeconds: 1.5 }),
    estimateSessions: async () => 42,
    ...changes,
  });

  test("comes from its sources", async () => {
    metrics.readFrom(sources());
    expect(await linesOf("latchkey_password_hashing")).toEqual([
      'latchkey_password_hashing{state="running"} 1',
      'latchkey_password_hashing{state="waiting"} 5',
      "latchkey_password_hashing_refused_total 7",
    ]);
    expect(await linesOf("latchkey_feed_connections")).toEqual(["latchkey_feed_connections 3"]);
    expect(await linesOf("latchkey_sessions_alive")).toEqual(["latchkey_sessions_alive 42"]);
    expect(await linesOf("latchkey_signing_key")).toEqual([
      'latchkey_signing_keys{algorithm="ES256",state="current"} 1',
      'latchkey_signing_key_age_seconds{algorithm="ES256",state="current"} 5',
    ]);
  });

  test("is asked of the stores once in 15 seconds, whoever looks, and again when the clock was set back", async () => {
    metrics.readFrom(sources());
    asked = 0;
    await Promise.all([metrics.render(), metrics.render()]);
    clock.now += 14_999;
    await metrics.render();
    expect(asked).toBe(1);
    clock.now += 1;
    await metrics.render();
    expect(asked).toBe(2);
    clock.now -= 3_600_000;
    await metrics.render();
    expect(asked).toBe(3);
  });

  test("is left out while its store is away, and that is said; the rest is told, and it comes back at once", async () => {
    const away = async (): Promise<never> => {
      throw new Error("away");
    };
    metrics.readFrom(sources());
    await metrics.render();
    clock.now += 60_000;
    metrics.readFrom(sources({ estimateSessions: away }));
    expect(await linesOf("latchkey_unknown_gauges")).toEqual(["latchkey_unknown_gauges 1"]);
    expect(await linesOf("latchkey_sessions_alive")).toEqual([]);
    expect(await linesOf("latchkey_signing_keys")).toHaveLength(1);
    metrics.readFrom(sources());
    expect(await linesOf("latchkey_sessions_alive")).toEqual(["latchkey_sessions_alive 42"]);
    expect(await linesOf("latchkey_unknown_gauges")).toEqual(["latchkey_unknown_gauges 0"]);
  });
});
