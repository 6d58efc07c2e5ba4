import type { StoredAuditEvent } from "../audit/index.ts";
import { type Message, message } from "../http/index.ts";
import { type FactorOverview, hasFactors } from "../mfa/index.ts";

/** What happened to an account lately that its person has to know of, and is told at once where they look first. */
export const NEWS_TYPES = ["recovery_code_used", "factors_reset"] as const;

/** How long it stays there; on the activity page it is for longer. */
export const NEWS_MS = 14 * 24 * 60 * 60 * 1000;

/** A note at the top of the account page. */
export interface StandingNote {
  readonly tone: "good" | "warn";
  readonly text: Message;
  /** Leads to what to do if it was not the person. */
  readonly mayBeSomebodyElse: boolean;
}

/** @param news the newest first. */
export function standingOf(
  { news, overview }: { readonly news: readonly StoredAuditEvent[]; readonly overview: FactorOverview },
  nowMs: number,
): readonly StandingNote[] {
  const latest = NEWS_TYPES.flatMap((type) => news.find((event) => event.type === type) ?? []);
  const notes = latest.map((event) => noteOf(event, nowMs));
  if (notes.length > 0 || !hasFactors(overview)) return notes;
  const left = String(overview.recoveryCodes?.left ?? 0);
  return [{ tone: "good", text: message("standing.good", { left }), mayBeSomebodyElse: false }];
}

function noteOf({ type, occurredAt, data }: StoredAuditEvent, nowMs: number): StandingNote {
  const when = { atMs: occurredAt.getTime(), nowMs };
  const text =
    type === "factors_reset"
      ? message("standing.factorsReset", { when })
      : message("standing.recoveryCodeUsed", { when, left: String(data["left"] ?? 0) });
  return { tone: "warn", text, mayBeSomebodyElse: true };
}
