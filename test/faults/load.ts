import { setTimeout as delay } from "node:timers/promises";

/** One answer of a server under load. */
export interface Answer {
  /** Which of the things that are asked all the time. */
  readonly what: string;
  /** 0 when the connection broke or was refused. */
  readonly status: number;
  readonly retryAfter: number;
  readonly startedAtMs: number;
  readonly tookMs: number;
}

export interface Load {
  readonly answers: readonly Answer[];
  /** Those to what was asked from that moment on, and answered until the other one. */
  between(fromMs: number, untilMs: number): readonly Answer[];
  /** Resolves when nobody asks any more. */
  stop(): Promise<void>;
}

/** What of an answer is looked at. */
export interface Answered {
  readonly status: number;
  readonly headers: Pick<Headers, "get">;
}

const PAUSE_MS = 20;

/** Asks everything over and over, each by somebody who waits for the answer before asking again. */
export function startLoad(askers: Readonly<Record<string, readonly (() => Promise<Answered>)[]>>): Load {
  const answers: Answer[] = [];
  const isOver = { now: false };

  async function askOnce(what: string, ask: () => Promise<Answered>): Promise<void> {
    const startedAtMs = performance.now();
    const answer = await ask().catch(() => undefined);
    const tookMs = performance.now() - startedAtMs;
    const retryAfter = Number(answer?.headers.get("retry-after") ?? 0);
    answers.push({ what, status: answer?.status ?? 0, retryAfter, startedAtMs, tookMs });
  }
  async function askOn(what: string, ask: () => Promise<Answered>): Promise<void> {
    while (!isOver.now) {
      await askOnce(what, ask);
      await delay(PAUSE_MS);
    }
  }

  const running = Object.entries(askers).flatMap(([what, asking]) => asking.map((ask) => askOn(what, ask)));
  return {
    answers,
    between: (fromMs, untilMs) =>
      answers.filter(({ startedAtMs, tookMs }) => startedAtMs >= fromMs && startedAtMs + tookMs <= untilMs),
    async stop() {
      isOver.now = true;
      await Promise.all(running);
    },
  };
}

/** The time within which that share of the answers came, in whole milliseconds. */
export function percentileMs(answers: readonly Pick<Answer, "tookMs">[], share = 0.99): number {
  const sorted = answers.map(({ tookMs }) => tookMs).sort((one, other) => one - other);
  return Math.round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0);
}

/** How often which status came, such as `{"503":12}`. */
export function statusesOf(answers: readonly Pick<Answer, "status">[]): Readonly<Record<number, number>> {
  const counts: Record<number, number> = {};
  for (const { status } of answers) counts[status] = (counts[status] ?? 0) + 1;
  return counts;
}
