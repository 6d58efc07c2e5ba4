import { sql } from "kysely";
import { background, type Clock, machineClock, stopwatchMs } from "../core/index.ts";
import type { Db } from "./database.ts";
import { guardStore } from "./failures.ts";

/** Beyond this a token of this node would live noticeably longer, by the clocks of all others, than it should. */
const OFF_MAX_MS = 60_000;
const LOOK_EVERY_MS = 5_000;

export interface ClockWatchDeps {
  /** Of the clock that all nodes share. @throws AppError STORE_UNAVAILABLE */
  readonly readSharedMs: () => Promise<number>;
  /** The machine's. */
  readonly clock?: Clock;
  /** Told when the clock has turned wrong, and when it is right again; negative: it is behind. */
  readonly onChange: (isRight: boolean, offByMs: number) => void;
  /** The database could not be asked. */
  readonly reportFailure: (error: unknown) => void;
  readonly lookEveryMs?: number;
}

export interface ClockWatch {
  /** Resolves when the clock has been compared. @throws AppError STORE_UNAVAILABLE */
  start(): Promise<void>;
  /** Whether what this node dates and judges by its clock can be trusted. */
  isRight(): boolean;
  close(): void;
}

/**
 * Compares the machine's clock with that of Postgres, which all nodes share. A node whose clock is minutes behind would
 * accept what has expired, and one whose clock is ahead would issue what is good for longer: it is to do neither.
 *
 * Between two looks a step of the clock shows against the monotonic one, so that no token is issued in the seconds after it.
 */
export function watchClock(deps: ClockWatchDeps): ClockWatch {
  const { readSharedMs, clock = machineClock, onChange, reportFailure, lookEveryMs = LOOK_EVERY_MS } = deps;
  let [aheadMs, spreadMs] = [0, 0];
  let wasRight = true;
  let looking: NodeJS.Timeout | undefined;
  /** What the clock shows beyond the time that runs; changes when somebody sets it. */
  const setTo = (): number => clock.nowMs() - stopwatchMs();
  let lastSetTo = setTo();

  async function look(): Promise<void> {
    const startedAtMs = stopwatchMs();
    const sharedMs = await readSharedMs();
    const endedAtMs = stopwatchMs();
    lastSetTo = setTo();
    // It was read at some moment in between.
    spreadMs = (endedAtMs - startedAtMs) / 2;
    aheadMs = lastSetTo + endedAtMs - spreadMs - sharedMs;
    isRight();
  }

  function isRight(): boolean {
    const offByMs = aheadMs + setTo() - lastSetTo;
    const isNowRight = Math.abs(offByMs) - spreadMs <= OFF_MAX_MS;
    if (isNowRight !== wasRight) {
      wasRight = isNowRight;
      onChange(isNowRight, Math.round(offByMs));
    }
    return isNowRight;
  }

  return {
    isRight,
    async start() {
      await look();
      looking = setInterval(() => background(look(), reportFailure), lookEveryMs).unref();
    },
    close: () => clearInterval(looking),
  };
}

/** What the clock of Postgres shows, in milliseconds since the Unix epoch. */
export async function readPostgresMs(db: Db): Promise<number> {
  const { rows } = await guardStore(() =>
    sql<{ now_ms: string }>`select extract(epoch from clock_timestamp()) * 1000 as now_ms`.execute(db),
  );
  return Number(rows[0]?.now_ms);
}
