import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { AppError, sourceProgram } from "../../core/index.ts";
import { createHashingQueue } from "./hashing-queue.ts";
import type { PasswordStrength } from "./password-refusal.ts";

/** One process, and no long row in front of it. */
const LIMITS = { concurrencyMax: 1, waitingMax: 32, waitMaxMs: 10_000 };
/** Reading the dictionaries takes half a second on a machine that has nothing else to do, and many times that otherwise. */
const ANSWER_MS_MAX = 10_000;
const IDLE_MS_MAX = 60_000;
const RETRY_AFTER_SECONDS = 5;
/** A small young generation costs nothing that anybody notices, and saves a third of the memory. */
const MEMORY_FLAGS = ["--max-old-space-size=128", "--max-semi-space-size=4"];
const SCRIPT = sourceProgram("accounts/passwords/strength-process");

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
  /** How long the process stays when nobody asks. */
  readonly idleMsMax?: number;
  /** What runs in it. */
  readonly script?: string;
}

interface Helper {
  readonly child: ChildProcess;
  readonly gone: AbortSignal;
}

/**
 * Asks a process that is there only while passwords are chosen. Its dictionaries would otherwise be much of what an idle
 * server holds in memory, of which a thread gives back half; and what a hostile password costs must neither hold up
 * requests nor go on for long.
 */
export function createStrengthEstimator(options: StrengthEstimatorOptions = {}): StrengthEstimator {
  const { answerMsMax = ANSWER_MS_MAX, idleMsMax = IDLE_MS_MAX, script = SCRIPT } = options;
  const queue = createHashingQueue(LIMITS);
  let helper: Helper | undefined;
  let idle: NodeJS.Timeout | undefined;

  const stop = (): void => {
    helper?.child.kill("SIGKILL");
    helper = undefined;
  };

  async function ask(question: StrengthQuestion): Promise<PasswordStrength> {
    clearTimeout(idle);
    if (helper?.gone.aborted !== false) helper = startHelper(script);
    const { child, gone } = helper;
    setHolding(child, true);
    try {
      const signal = AbortSignal.any([gone, AbortSignal.timeout(answerMsMax)]);
      const answered = once(child, "message", { signal });
      child.send(question);
      const [strength] = (await answered) as [PasswordStrength];
      return strength;
    } catch (cause) {
      stop();
      const detail = "no estimate of a password's strength in time";
      throw new AppError("HASHING_BUSY", { detail, cause, retryAfterSeconds: RETRY_AFTER_SECONDS });
    } finally {
      setHolding(child, false);
      idle = setTimeout(stop, idleMsMax).unref();
    }
  }

  return { estimate: (question) => queue.run(() => ask(question)) };
}

/** It ends with us: without the channel to us nothing keeps it. */
function startHelper(script: string): Helper {
  const gone = new AbortController();
  const child = fork(script, {
    // Without our environment, which holds secrets, and our flags, such as that of a debugger.
    env: {},
    execArgv: MEMORY_FLAGS,
    stdio: ["ignore", "ignore", "ignore", "ipc"],
  });
  child.once("exit", () => gone.abort());
  child.on("error", () => gone.abort());
  return { child, gone: gone.signal };
}

/** Whether this process waits for it before it ends. */
function setHolding(child: ChildProcess, isHolding: boolean): void {
  const change = isHolding ? "ref" : "unref";
  child[change]();
  child.channel?.[change]();
}
