import cluster, { type Worker } from "node:cluster";
import { on, once } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import { stopwatchMs } from "../core/index.ts";
import { READY } from "./ready-message.ts";

const PAUSE_MS_MIN = 100;
const PAUSE_MS_MAX = 10_000;
/** A worker that ran for this long was in order when it ended: the next one is started without a pause. */
const RAN_WELL_MS = 60_000;

export interface Supervised {
  /** How many processes answer requests. */
  readonly count: number;
  /** What the first worker is started with. It alone does what is to be done once, and no other starts before it is ready. */
  readonly firstArguments: readonly string[];
  readonly otherArguments: readonly string[];
  /** Resolves when all are to stop. */
  readonly stop: Promise<unknown>;
  readonly onReady: () => void;
  /** A worker ended that nobody had stopped, and another will take its place. */
  readonly onLost: (lost: {
    readonly worker: number;
    readonly exitCode: number | null;
    readonly signal: string;
  }) => void;
}

/**
 * Starts the workers, replaces those that end, and stops all when told to, each in its own time. Resolves with the exit
 * code: 0 when every worker stopped in order, 1 when one did not, or could not start in the first place.
 */
export async function superviseWorkers(options: Supervised): Promise<number> {
  const stopping = new AbortController();
  const { signal } = stopping;
  void options.stop.then(() => stopping.abort());

  /** Starts one, and keeps one running in its place. What is wrong with one that does not start, it has said itself. */
  async function occupy(args: readonly string[]): Promise<Place> {
    const worker = fork(args);
    if (await becomesReady(worker, signal)) return { isOccupied: true, ended: keepOneRunning(worker, options, signal) };
    const isOccupied = signal.aborted;
    // One that cannot start at first will not do so later.
    stopping.abort();
    return { isOccupied, ended: hasEndedInOrder(worker) };
  }

  const places = [await occupy(options.firstArguments)];
  const others = Array.from({ length: signal.aborted ? 0 : options.count - 1 });
  places.push(...(await Promise.all(others.map(() => occupy(options.otherArguments)))));
  if (!signal.aborted) options.onReady();
  const endings = await Promise.all(places.map(({ ended }) => ended));
  return endings.every(Boolean) && places.every(({ isOccupied }) => isOccupied) ? 0 : 1;
}

interface Place {
  /** False when the worker that was to be here could not start. */
  readonly isOccupied: boolean;
  /** Resolves when all have been stopped, with whether the worker here stopped in order. */
  readonly ended: Promise<boolean>;
}

function fork(args: readonly string[]): Worker {
  cluster.setupPrimary({ args: [...args] });
  return cluster.fork();
}

/** Whether it takes requests, as opposed to ending before it does. A worker that is told to stop ends, too. */
async function becomesReady(worker: Worker, stopping: AbortSignal): Promise<boolean> {
  const passOn = (): void => void worker.process.kill("SIGTERM");
  stopping.addEventListener("abort", passOn, { once: true });
  const settled = new AbortController();
  const { signal } = settled;
  try {
    return await Promise.race([saysReady(worker, signal), once(worker, "exit", { signal }).then(() => false)]);
  } finally {
    settled.abort();
    stopping.removeEventListener("abort", passOn);
  }
}

async function saysReady(worker: Worker, signal: AbortSignal): Promise<true> {
  for await (const [message] of on(worker, "message", { signal })) if (message === READY) break;
  return true;
}

/** Until all are to stop, there is one in this place. Resolves with whether the last one stopped in order. */
async function keepOneRunning(first: Worker, options: Supervised, stopping: AbortSignal): Promise<boolean> {
  let worker = first;
  let pauseMs = PAUSE_MS_MIN;
  for (;;) {
    const passOn = (): void => void worker.process.kill("SIGTERM");
    if (stopping.aborted) passOn();
    else stopping.addEventListener("abort", passOn, { once: true });
    const startedAtMs = stopwatchMs();
    const endedInOrder = await hasEndedInOrder(worker);
    stopping.removeEventListener("abort", passOn);
    if (stopping.aborted) return endedInOrder;
    const { exitCode, signalCode } = worker.process;
    options.onLost({ worker: worker.id, exitCode, signal: signalCode ?? "none" });
    const ranWell = stopwatchMs() - startedAtMs > RAN_WELL_MS;
    pauseMs = ranWell ? PAUSE_MS_MIN : Math.min(2 * pauseMs, PAUSE_MS_MAX);
    if (!(await hasPassed(pauseMs, stopping))) return true;
    worker = fork(options.otherArguments);
  }
}

async function hasEndedInOrder(worker: Worker): Promise<boolean> {
  if (!worker.isDead()) await once(worker, "exit");
  return worker.process.exitCode === 0;
}

/** `false` when it was cut short. */
async function hasPassed(ms: number, cut: AbortSignal): Promise<boolean> {
  try {
    await delay(ms, undefined, { signal: cut });
    return true;
  } catch {
    return false;
  }
}
