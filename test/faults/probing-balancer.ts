import { setTimeout as delay } from "node:timers/promises";
import { startBalancer } from "../support/balancer.ts";
import { askNode } from "../support/raw-http.ts";
import type { FaultyNode } from "./nodes.ts";

const PROBE_EVERY_MS = 100;
const PAUSE_MS = 10;
/** The feed of revocations stays open until its node stops. */
const DRAIN_MS_MAX = 1_000;

/**
 * A balancer as deployments have one: it asks each node for its readiness, sends requests to those that are ready, and
 * tries none a second time.
 */
export interface ProbingBalancer {
  readonly origin: string;
  /** Resolves when the node is ready and gets requests. */
  add(node: FaultyNode): Promise<void>;
  /** Resolves when the node gets no more requests and has answered those that it got, but for answers without an end. */
  takeOut(node: FaultyNode): Promise<void>;
  close(): Promise<void>;
}

export async function startProbingBalancer(): Promise<ProbingBalancer> {
  const balancer = await startBalancer();
  const ready = new Map<number, boolean>();
  const stop = new AbortController();
  const portOf = ({ origin }: FaultyNode): number => Number(new URL(origin).port);

  async function probe(): Promise<void> {
    const probes = [...ready.keys()].map(async (port) => [port, await isReady(port)] as const);
    for (const [port, isIt] of await Promise.all(probes)) if (ready.has(port)) ready.set(port, isIt);
    balancer.serve([...ready].filter(([, isIt]) => isIt).map(([port]) => port));
  }

  async function keepProbing(): Promise<void> {
    while (!stop.signal.aborted) {
      await probe();
      await delay(PROBE_EVERY_MS);
    }
  }
  const probing = keepProbing();

  return {
    origin: `http://127.0.0.1:${balancer.port}`,
    async add(node) {
      ready.set(portOf(node), false);
      while (ready.get(portOf(node)) === false) await delay(PAUSE_MS);
    },
    async takeOut(node) {
      ready.delete(portOf(node));
      balancer.serve([...ready].filter(([, isIt]) => isIt).map(([port]) => port));
      const until = performance.now() + DRAIN_MS_MAX;
      while (balancer.connectionCount(portOf(node)) > 0 && performance.now() < until) await delay(PAUSE_MS);
    },
    async close() {
      stop.abort();
      await probing;
      await balancer.close();
    },
  };
}

async function isReady(port: number): Promise<boolean> {
  const answer = await askNode(`http://127.0.0.1:${port}/health/ready`).catch(() => undefined);
  return answer?.status === 200;
}
