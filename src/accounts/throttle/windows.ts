import type { Window } from "./limits.ts";

export interface Counted {
  /** This one included. */
  readonly attempts: number;
  /** Until the window is over. */
  readonly leftMs: number;
  /** Takes back that this one was counted. */
  readonly undo: () => Promise<void>;
}

/** Counts attempts in windows of time. `key` is a digest: nobody's address is stored. */
export interface Windows {
  count(window: Window, key: string): Promise<Counted>;
  /** Deletes what is over; returns how many. */
  sweep(): Promise<number>;
}

export type WindowVerdict =
  | { readonly verdict: "open"; readonly undo: Counted["undo"] }
  | { readonly verdict: "closed"; readonly retryAfterSeconds: number; readonly isFirst: boolean };

export function judgeWindow({ attemptsMax }: Window, { attempts, leftMs, undo }: Counted): WindowVerdict {
  if (attempts <= attemptsMax) return { verdict: "open", undo };
  const retryAfterSeconds = Math.max(1, Math.ceil(leftMs / 1_000));
  return { verdict: "closed", retryAfterSeconds, isFirst: attempts === attemptsMax + 1 };
}
