import type { SendResult } from "./transport.ts";

export type Outcome =
  | { readonly type: "sent" }
  | { readonly type: "tryAgain"; readonly pauseSeconds: number; readonly reason: string }
  | { readonly type: "refused" | "expired"; readonly reason: string };

export type TryResult =
  | SendResult
  /** We could not read it, or make a mail of it: another node, of another version or secret, may be able to. */
  | { readonly type: "unprepared" };

const MINUTE = 60;
const HOUR = 60 * MINUTE;

/** What passes between one try and the next; the last for as long as the mail lives. */
const PAUSES_SECONDS = [5, 15, 30, MINUTE, 2 * MINUTE, 5 * MINUTE, 15 * MINUTE, 30 * MINUTE, HOUR] as const;

/** @param tries how many there were, this one included. */
export function decideOutcome(
  result: TryResult,
  { tries, secondsLeft }: { readonly tries: number; readonly secondsLeft: number },
): Outcome {
  if (result.type === "accepted") return { type: "sent" };
  const reason = result.type === "unprepared" ? result.type : result.reason;
  if (result.type === "refused") return { type: "refused", reason };
  const pauseSeconds = PAUSES_SECONDS[Math.min(tries, PAUSES_SECONDS.length) - 1] ?? HOUR;
  return pauseSeconds >= secondsLeft ? { type: "expired", reason } : { type: "tryAgain", pauseSeconds, reason };
}
