import type { OutboundResult } from "../../outbound/index.ts";
import { pauseAfter } from "./retry-schedule.ts";

export type Outcome =
  | { readonly type: "delivered" }
  /** The client understood and refused: asking again would change nothing. */
  | { readonly type: "rejected"; readonly reason: string }
  | { readonly type: "tryAgain"; readonly pauseSeconds: number; readonly reason: string }
  | { readonly type: "givenUp"; readonly reason: string };

export interface Try {
  /** How many there were, this one included. */
  readonly tries: number;
  /** Until the row expires. */
  readonly secondsLeft: number;
}

/** What a try met. */
export type TryResult =
  | OutboundResult
  /** The client is gone, or does not want to be told any more. */
  | { readonly type: "unwanted" }
  /** There was no token to send: our own store or keys were away. */
  | { readonly type: "unprepared" };

/** What follows from an answer, or from none (OpenID Connect Back-Channel Logout 1.0, section 2.8). */
export function decideOutcome(result: TryResult, { tries, secondsLeft }: Try): Outcome {
  if (result.type === "unwanted") return { type: "delivered" };
  if (result.type === "answered" && (result.status === 200 || result.status === 204)) return { type: "delivered" };
  const reason = reasonOf(result);
  if (result.type === "answered" && result.status === 400) return { type: "rejected", reason };
  const pauseSeconds = pauseAfter(tries);
  return pauseSeconds === undefined || pauseSeconds >= secondsLeft
    ? { type: "givenUp", reason }
    : { type: "tryAgain", pauseSeconds, reason };
}

/** A word for the log: `status_503`, `failed_timeout`, `refused_address`. */
function reasonOf(result: TryResult): string {
  if (result.type === "answered") return `status_${result.status}`;
  return "reason" in result ? `${result.type}_${result.reason}` : result.type;
}
