import { once } from "node:events";
import { extname } from "node:path";
import { Worker } from "node:worker_threads";
import { AppError } from "../../core/index.ts";
import { createHashingQueue } from "./hashing-queue.ts";
import type { PasswordStrength } from "./password-refusal.ts";

/** One thread, and no long row in front of it. */
const LIMITS = { concurrencyMax: 1, waitingMax: 32, waitMaxMs: 10_000 };
/** Reading the dictionaries takes half a second on a machine that has nothing else to do, and many times that otherwise. */
const ANSWER_MS_MAX = 10_000;
const IDLE_MS_MAX = 60_000;
const RETRY_AFTER_SECONDS = 5;
const MEMORY = { maxOldGenerationSizeMb: 192, maxYoungGenerationSizeMb: 16 };
const WORKER_FILE = `./strength-worker${extname(import.meta.filename)}`;

export interface StrengthQuestion {
  readonly password: string;
  /** What an attacker who knows the person tries first, in lower case. */
  readonly ownWords: readonly string[];
}

export interface StrengthEstimator {
  /** @throws AppError HASHING_BUSY when too many ask, or when there is no answer in time. */
  estimate(question: StrengthQuestion): Promise<PasswordStrength>;
}

export interface StrengthEstimatorOptions {
  /** How long an answer may take, dictionaries included. */
  readonly answerMsMax?: number;
  /** How long the thread stays when nobody asks. */
  readonly idleMsMax?: number;
  /** What runs in the thread. */
  readonly workerUrl?: URL;
}

/**
 * Asks a thread that is there only while passwords are chosen: its dictionaries would otherwise be most of what an idle
 * server holds in memory, and what a hostile password costs must neither hold up requests nor go on for long.
 */
export function createStrengthEstimator(options: StrengthEstimatorOptions = {}): StrengthEstimator {
  const { answerMsMax = ANSWER_MS_MAX, idleMsMax = IDLE_MS_MAX } = options;
  const { workerUrl = new URL(WORKER_FILE, import.meta.url) } = options;
  const queue = createHashingQueue(LIMITS);
  let worker: Worker | undefined;
  let idle: NodeJS.Timeout | undefined;

  const stop = async (): Promise<void> => {
    const stopped = worker;
    worker = undefined;
    await stopped?.terminate();
  };

  /** The thread holds up the end of the process only while somebody waits for it. */
  const start = (): Worker => {
    // Without our environment, which holds secrets.
    const started = new Worker(workerUrl, { env: {}, resourceLimits: MEMORY, stdout: true, stderr: true });
    started.on("error", () => {
      if (worker === started) worker = undefined;
    });
    return started;
  };

  async function ask(question: StrengthQuestion): Promise<PasswordStrength> {
    clearTimeout(idle);
    const asked = (worker ??= start());
    asked.ref();
    try {
      asked.postMessage(question, []);
      const signal = AbortSignal.timeout(answerMsMax);
      const [strength] = (await once(asked, "message", { signal })) as [PasswordStrength];
      return strength;
    } catch (cause) {
      await stop();
      const detail = "no estimate of a password's strength in time";
      throw new AppError("HASHING_BUSY", { detail, cause, retryAfterSeconds: RETRY_AFTER_SECONDS });
    } finally {
      asked.unref();
      idle = setTimeout(() => void stop(), idleMsMax).unref();
    }
  }

  return { estimate: (question) => queue.run(() => ask(question)) };
}
