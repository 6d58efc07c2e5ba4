import { AppError } from "../../core/index.ts";

const RETRY_AFTER_SECONDS = 5;

export interface HashingLimits {
  readonly concurrencyMax: number;
  readonly waitingMax: number;
  readonly waitMaxMs: number;
}

/** How busy hashing is. */
export interface HashingLoad {
  readonly running: number;
  readonly waiting: number;
  /** Since the start: those who were told to come back later. */
  readonly refused: number;
}

/**
 * Runs at most `concurrencyMax` tasks at a time, first come, first served.
 *
 * Hashing shares Node's thread pool with signing and file access: unbounded, a burst of sign-ins stops the issuing of
 * tokens (128 parallel hashes raised the p99 of a signature from 1.5 ms to 1.3 s). Whoever cannot be served soon is
 * told so at once instead of waiting for ever.
 */
export interface HashingQueue {
  /** @throws AppError HASHING_BUSY when too many wait already, or when the turn does not come in time. */
  run<Result>(task: () => Promise<Result>): Promise<Result>;
  load(): HashingLoad;
}

export function createHashingQueue(limits: HashingLimits): HashingQueue {
  let running = 0;
  let refused = 0;
  const waiting = new Set<() => void>();

  function takeTurn(): Promise<void> {
    if (running < limits.concurrencyMax) {
      running += 1;
      return Promise.resolve();
    }
    if (waiting.size >= limits.waitingMax) return Promise.reject(refuse("the queue is full"));
    return new Promise((resolve, reject) => {
      const start = (): void => {
        clearTimeout(deadline);
        resolve();
      };
      const deadline = setTimeout(() => {
        waiting.delete(start);
        reject(refuse("the turn did not come in time"));
      }, limits.waitMaxMs);
      waiting.add(start);
    });
  }

  function refuse(detail: string): AppError {
    refused += 1;
    return new AppError("HASHING_BUSY", { detail, retryAfterSeconds: RETRY_AFTER_SECONDS });
  }

  /** The turn goes to whoever waits longest, so that `running` changes only when nobody does. */
  function passTurnOn(): void {
    const [next] = waiting;
    if (next === undefined) {
      running -= 1;
      return;
    }
    waiting.delete(next);
    next();
  }

  return {
    load: () => ({ running, waiting: waiting.size, refused }),
    async run(task) {
      await takeTurn();
      try {
        return await task();
      } finally {
        passTurnOn();
      }
    },
  };
}
