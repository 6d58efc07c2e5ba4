import type { Deployment } from "../deployment.ts";
import { failure, type Finding, ok, warning, whenSeen } from "../finding.ts";

/** Events are sealed about a second after they were committed. */
const BEHIND_SECONDS_MAX = 60;
const MONTHS_AHEAD_MIN = 1;

/** Whether events of the audit log are sealed and signed, and find a place in months to come. */
export function checkAudit({ audit }: Deployment): readonly Finding[] {
  return whenSeen("audit", audit, ({ waiting, oldestSeconds, signedAt, monthsAhead }) => {
    if (oldestSeconds > BEHIND_SECONDS_MAX) {
      const meaning = `Events of the audit log have not been sealed for ${Math.round(oldestSeconds)} seconds: what is changed among them, nobody finds.`;
      const remedy =
        "See that a server runs, and what its log says of sealing. If that is SECRET_UNKNOWN, put back the old LATCHKEY_SECRET behind the new one; if it is lost, run latchkey audit replace-key.";
      return [failure("audit", meaning, remedy)];
    }
    if (monthsAhead < MONTHS_AHEAD_MIN) {
      const meaning = "The audit log has no partition for next month: its events will come to lie in the default one.";
      return [warning("audit", meaning, "See what the log of a server says of sweeping; it makes them every minute.")];
    }
    if (signedAt === undefined && waiting === 0) return [ok("audit", "The audit log is empty.")];
    const when = signedAt === undefined ? "" : `, signed last at ${signedAt.toISOString()}`;
    return [ok("audit", `Events of the audit log are sealed${when}.`)];
  });
}
