/** What an attempt came to. */
export type TryResult =
  | { readonly type: "accepted" }
  /** It will not be had, however often it is offered. */
  | { readonly type: "refused"; readonly reason: string }
  /** Nobody has it yet, as far as we know. */
  | { readonly type: "failed"; readonly reason: string }
  /** We could not make of it what is sent: another node, of another version or secret, may be able to. */
  | { readonly type: "unprepared" };

export type Outcome =
  | { readonly type: "sent" }
  | { readonly type: "tryAgain"; readonly pauseSeconds: number; readonly reason: string }
  | { readonly type: "refused" | "expired"; readonly reason: string };

interface Try {
  /** How many there were, this one included. */
  readonly tries: number;
  /** Until the row expires. */
  readonly secondsLeft: number;
  /** What passes between one try and the next; the last for as long as the row lives. */
  readonly pausesSeconds: readonly [number, ...number[]];
}

export function decideOutcome(result: TryResult, { tries, secondsLeft, pausesSeconds }: Try): Outcome {
  if (result.type === "accepted") return { type: "sent" };
  const reason = result.type === "unprepared" ? result.type : result.reason;
  if (result.type === "refused") return { type: "refused", reason };
  const pauseSeconds = pausesSeconds[Math.min(tries, pausesSeconds.length) - 1] ?? pausesSeconds[0];
  return pauseSeconds >= secondsLeft ? { type: "expired", reason } : { type: "tryAgain", pauseSeconds, reason };
}
