/** What the verifier takes from the platform beyond `fetch`, so that tests can replace it. */
export interface Platform {
  /** Milliseconds since the Unix epoch. */
  nowMs(): number;
  /** Milliseconds of a clock that nobody sets. */
  monotonicMs(): number;
  /** From 0 to below 1; spreads reconnects, no secret. */
  random(): number;
  /** A name for a token that takes little room; equal for equal tokens only. */
  digest(token: string): string;
  /** Calls once, later, without keeping the process alive; returns what prevents it. */
  setTimer(callback: () => void, delayMs: number): () => void;
}

/** A point in time that an age can be told from. */
export interface Moment {
  readonly wallMs: number;
  readonly monotonicMs: number;
}

export function momentOf(platform: Platform): Moment {
  return { wallMs: platform.nowMs(), monotonicMs: platform.monotonicMs() };
}

/**
 * The longer of what two clocks say: one can be set back, and the other stands still while a machine is suspended. Too
 * long an age only makes the verifier ask; too short a one would make it believe.
 */
export function ageMsOf(moment: Moment, platform: Platform): number {
  return Math.max(platform.nowMs() - moment.wallMs, platform.monotonicMs() - moment.monotonicMs);
}

export const systemPlatform: Platform = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  random: () => Math.random(),
  digest: findDigest(),
  setTimer(callback, delayMs) {
    const timer: unknown = setTimeout(callback, delayMs);
    if (typeof timer === "object" && timer !== null && "unref" in timer && typeof timer.unref === "function") {
      timer.unref();
    }
    return () => clearTimeout(timer as ReturnType<typeof setTimeout>);
  },
};

/**
 * Web Crypto hashes asynchronously, for twenty times the price of Node's one call. Where that call is not there the
 * token names itself, which takes more room and is as safe: a token is found only if all of it is the same.
 */
function findDigest(): (token: string) => string {
  const node = (globalThis as { readonly process?: Partial<NodeJS.Process> }).process?.getBuiltinModule?.(
    "node:crypto",
  );
  return typeof node?.hash === "function" ? (token) => node.hash("sha256", token, "base64url") : (token) => token;
}
