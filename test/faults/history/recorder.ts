import { decodeJwt } from "jose";
import type { LoggedCall, TokenFacts } from "./history.ts";

/** Longer than any fault and any time limit of ours: whoever waits for more has no answer. */
const ANSWER_MS_MAX = 15_000;

/** Notes what is asked, when, and what came of it. */
export interface Recorder {
  readonly calls: readonly LoggedCall[];
  now(): number;
  log(call: LoggedCall): void;
  /**
   * Asks, and says when. Whatever it throws, and an answer that does not come, is `undefined`: nobody knows what has
   * happened.
   */
  time<Answer>(ask: () => Promise<Answer>): Promise<Timed<Answer>>;
}

export interface Timed<Answer> {
  readonly startMs: number;
  /** Infinity without an answer: what was asked for may still be under way. */
  readonly endMs: number;
  readonly answer: Answer | undefined;
}

export function createRecorder(): Recorder {
  const calls: LoggedCall[] = [];
  const now = (): number => performance.now();
  return {
    calls,
    now,
    log: (call) => void calls.push(call),
    async time(ask) {
      const startMs = now();
      const answer = await Promise.race([ask().catch(() => undefined), silence(ANSWER_MS_MAX)]);
      return { startMs, endMs: answer === undefined ? Number.POSITIVE_INFINITY : now(), answer };
    },
  };
}

function silence(delayMs: number): Promise<undefined> {
  return new Promise((resolve) => void setTimeout(() => resolve(undefined), delayMs).unref());
}

export function factsOf(accessToken: string): TokenFacts {
  const { jti = "", sid, aud, sub = "", client_id: clientId, iat = 0 } = decodeJwt(accessToken);
  return { jti, sid: String(sid), aud: String(aud), sub, clientId: String(clientId), iat };
}
