import { performance } from "node:perf_hooks";

export interface ClosedLoop {
  readonly workerCount: number;
  readonly requestCount: number;
  /** One request. Those of one worker follow each other; `index` modulo `workerCount` is the worker. */
  readonly perform: (index: number) => Promise<void>;
}

export interface LoopTimes {
  readonly totalMs: number;
  /** Ascending. */
  readonly latenciesMs: readonly number[];
}

/** Performs all requests with a fixed number in flight: each worker sends its next when the last was answered. */
export async function runClosedLoop({ workerCount, requestCount, perform }: ClosedLoop): Promise<LoopTimes> {
  const latenciesMs: number[] = [];
  async function work(first: number): Promise<void> {
    for (let index = first; index < requestCount; index += workerCount) {
      const sentAt = performance.now();
      await perform(index);
      latenciesMs.push(performance.now() - sentAt);
    }
  }
  const startedAt = performance.now();
  await Promise.all(Array.from({ length: workerCount }, (_, worker) => work(worker)));
  const totalMs = performance.now() - startedAt;
  return { totalMs, latenciesMs: latenciesMs.toSorted((left, right) => left - right) };
}
