import { performance } from "node:perf_hooks";
import { setImmediate as turn } from "node:timers/promises";
import { Redis } from "ioredis";
import { decodeJwt } from "jose";
import { createVerifier } from "../../src/verifier/index.ts";
import { billingApi, ordersResource } from "../cast.ts";
import { createIntrospection } from "../load/introspection.ts";
import { createLoad, type Load } from "../load/load.ts";
import { percentile, type Row } from "../report.ts";
import { startStores } from "../stores.ts";
import { type LatchkeyNodes, startLatchkeyNodes } from "../variants/latchkey.ts";

const NODE_COUNT = 2;
const WARM_UP_ROUNDS = 5;
const REFUSAL_TIMEOUT_MS = 10_000;

export interface RevocationOptions {
  /** Sessions that are ended, by each approach. */
  readonly sessionCount: number;
  readonly progress: (line: string) => void;
}

/** A service that is asked about one token again and again. */
interface Service {
  readonly accepts: (token: string) => Promise<boolean>;
}

/**
 * How long a token works on after its session was ended: from the moment at which the person presses the button until
 * the slowest of all services refuses. Two nodes stand behind a balancer; who is asked to end the session, and where a
 * service listens, is the balancer's choice.
 */
export async function runRevocationScenario(options: RevocationOptions): Promise<readonly Row[]> {
  await using started = new AsyncDisposableStack();
  const stores = await startStores();
  started.defer(() => stores.stop());
  options.progress("revocation: starting two nodes and signing people in");
  const rounds = WARM_UP_ROUNDS + options.sessionCount;
  const openings = [
    { name: "feed_10", open: openFeed(10) },
    { name: "feed_100", open: openFeed(100) },
    { name: "lookup", open: openLookup(10) },
    { name: "introspection", open: openIntrospection(10) },
  ];
  const personCount = rounds * openings.length;
  const nodes = await startLatchkeyNodes({ stores, personCount, nodeCount: NODE_COUNT });
  started.defer(() => nodes.stop());
  const load = await createLoad(nodes, { personCount, connectionsMax: 4 });
  started.defer(() => load.close());

  const rows: Row[] = [];
  for (const [position, { name, open }] of openings.entries()) {
    options.progress(`revocation: ${name}`);
    await using opened = new AsyncDisposableStack();
    const services = await open({ nodes, redisUrl: stores.redisUrl, opened });
    const latencies: number[] = [];
    for (let round = 0; round < rounds; round += 1) {
      const latency = await endOneSession(load, position * rounds + round, services);
      if (round >= WARM_UP_ROUNDS) latencies.push(latency);
    }
    const sorted = latencies.toSorted((left, right) => left - right);
    const row = { scenario: "revocation", variant: name, unit: "ms" };
    rows.push(
      { ...row, metric: "p50_ms", value: percentile(sorted, 0.5) },
      { ...row, metric: "p99_ms", value: percentile(sorted, 0.99) },
    );
  }
  return rows;
}

async function endOneSession(load: Load, index: number, services: readonly Service[]): Promise<number> {
  const token = load.accessTokenOf(index);
  const answers = await Promise.all(services.map(({ accepts }) => accepts(token)));
  if (answers.includes(false)) throw new Error("a service refuses a token whose session is alive");
  const endSession = await load.prepareSignOut(index);
  const askedAt = performance.now();
  const [refusedAt] = await Promise.all([slowestRefusal(services, token), endSession()]);
  return refusedAt - askedAt;
}

/** Services ask all the time, each on its own, so that the moment is known to a fraction of a millisecond. */
async function slowestRefusal(services: readonly Service[], token: string): Promise<number> {
  const deadline = performance.now() + REFUSAL_TIMEOUT_MS;
  const moments = services.map(async ({ accepts }) => {
    while (await accepts(token)) {
      if (performance.now() > deadline) throw new Error("a service never refused");
      await turn();
    }
    return performance.now();
  });
  return Math.max(...(await Promise.all(moments)));
}

interface Ground {
  readonly nodes: LatchkeyNodes;
  readonly redisUrl: string;
  readonly opened: AsyncDisposableStack;
}

type OpenApproach = (ground: Ground) => Promise<readonly Service[]>;

function openFeed(count: number): OpenApproach {
  return async ({ nodes, opened }) => {
    const verifiers = Array.from({ length: count }, () =>
      createVerifier({
        issuer: nodes.issuer,
        audience: ordersResource.identifier,
        revocations: "feed",
        client: { id: billingApi.id, secret: nodes.clientSecret },
        onStale: "reject",
      }),
    );
    opened.defer(async () => void (await Promise.all(verifiers.map((verifier) => verifier.close()))));
    await Promise.all(verifiers.map((verifier) => verifier.ready()));
    return verifiers.map((verifier) => ({ accepts: settles((token) => verifier.verify(token)) }));
  };
}

function settles(verify: (token: string) => Promise<unknown>): Service["accepts"] {
  return (token) =>
    verify(token).then(
      () => true,
      () => false,
    );
}

function openLookup(count: number): OpenApproach {
  return async ({ redisUrl, opened }) => {
    const services = Array.from({ length: count }, () => {
      const redis = new Redis(redisUrl);
      opened.defer(() => redis.disconnect());
      return {
        accepts: async (token: string) => (await redis.exists(`lk:{${String(decodeJwt(token)["sid"])}}`)) === 1,
      };
    });
    return services;
  };
}

function openIntrospection(count: number): OpenApproach {
  return async ({ nodes, opened }) => {
    const services: Service[] = [];
    for (let index = 0; index < count; index += 1) {
      const introspection = await createIntrospection(nodes);
      opened.defer(() => introspection.close());
      services.push({ accepts: (token) => introspection.isActive(token) });
    }
    return services;
  };
}
