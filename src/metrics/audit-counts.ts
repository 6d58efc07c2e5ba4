import { AUDIT_EVENTS, type AuditEvent, type AuditEventType } from "../audit/index.ts";
import { closedValues } from "./bounded-values.ts";
import type { Families } from "./families.ts";

/** What an event of the audit log says of sign-ins and of factors, beside being an event. */
const SIGN_INS: Partial<Record<AuditEventType, readonly [method: "password" | "passkey", result: string]>> = {
  sign_in_succeeded: ["password", "succeeded"],
  sign_in_failed: ["password", "failed"],
  sign_in_throttled: ["password", "throttled"],
  passkey_failed: ["passkey", "failed"],
  passkey_clone_suspected: ["passkey", "failed"],
};

const KINDS = ["totp", "passkey", "recovery_code"];

const FACTORS: Partial<Record<AuditEventType, string>> = {
  factor_verified: "verified",
  factor_failed: "refused",
  factor_paused: "paused",
  factor_enrolled: "enrolled",
  factor_removed: "removed",
};

const FACTOR_OF: Partial<Record<AuditEventType, readonly [factor: string, event: string]>> = {
  passkey_failed: ["passkey", "refused"],
  passkey_clone_suspected: ["passkey", "refused"],
  recovery_codes_made: ["recovery_code", "enrolled"],
};

/** What happens to people is told by the audit log already; so it is counted there, and in one place. */
export function createAuditCounts(families: Families): (event: AuditEvent) => void {
  const events = families.counter("latchkey_audit_events_total");
  const signIns = families.counter("latchkey_sign_ins_total");
  const factors = families.counter("latchkey_factors_total");
  const factorOf = closedValues(KINDS);
  // There from the start: what Prometheus has not seen at nought, it does not see begin.
  for (const type of Object.keys(AUDIT_EVENTS)) events.labels(type).inc(0);
  for (const signIn of Object.values(SIGN_INS)) signIns.labels(...signIn).inc(0);
  for (const kind of KINDS) for (const event of Object.values(FACTORS)) factors.labels(kind, event).inc(0);

  return ({ type, data }) => {
    events.labels(type).inc();
    const factor = factorOf(String(data?.["factor"]));
    const signIn = type === "factor_verified" && factor === "passkey" ? ["passkey", "succeeded"] : SIGN_INS[type];
    if (signIn !== undefined) signIns.labels(...signIn).inc();
    const event = FACTORS[type];
    if (event !== undefined) factors.labels(factor, event).inc();
    const ofOneFactor = FACTOR_OF[type];
    if (ofOneFactor !== undefined) factors.labels(...ofOneFactor).inc();
  };
}
