import { performance } from "node:perf_hooks";
import { Redis } from "ioredis";
import { createRemoteJWKSet, decodeJwt, jwtVerify } from "jose";
import { createVerifier } from "../../src/verifier/index.ts";
import { billingApi, ordersResource } from "../cast.ts";
import { createIntrospection } from "../load/introspection.ts";
import { createLoad } from "../load/load.ts";
import { medianInterval, percentile, type Row } from "../report.ts";
import { startStores } from "../stores.ts";
import { latchkey } from "../variants/latchkey.ts";
import type { RunningVariant } from "../variants/variant.ts";

const PEOPLE = 64;
const WARM_UP_TOKENS = 256;
/** A call that takes a few microseconds is timed this many times at once. */
const REPEATS = 16;

export interface ValidationOptions {
  readonly tokenCount: number;
  readonly progress: (line: string) => void;
}

/** A way to tell whether a token is good; `calls` are timed together, where one alone is too short for the clock. */
interface Approach {
  readonly name: string;
  readonly calls: number;
  readonly check: (token: string) => Promise<unknown>;
}

/** What a service spends on each request to know that a token is good, by five approaches, on the same tokens in turn. */
export async function runValidationScenario(options: ValidationOptions): Promise<readonly Row[]> {
  await using started = new AsyncDisposableStack();
  const stores = await startStores();
  started.defer(() => stores.stop());
  options.progress("validation: starting latchkey and signing people in");
  const server = await latchkey.start({ stores, personCount: PEOPLE });
  started.defer(() => server.stop());
  const tokens = await collectTokens(server, options.tokenCount + WARM_UP_TOKENS);
  const redis = new Redis(stores.redisUrl);
  started.defer(() => redis.disconnect());
  const approaches = await openApproaches(server, { redis, started });
  const timings = new Map(approaches.map(({ name }) => [name, [] as number[]]));
  options.progress(`validation: ${options.tokenCount} tokens by ${approaches.length} approaches in turn`);
  for (const [index, token] of tokens.entries()) {
    for (const { name, calls, check } of inTurn(approaches, index)) {
      const startedAt = performance.now();
      for (let call = 0; call < calls; call += 1) await check(token);
      if (index >= WARM_UP_TOKENS) timings.get(name)?.push(((performance.now() - startedAt) * 1000) / calls);
    }
  }
  return summarize(timings);
}

/** First seen comes before repeated, which is what makes it that; the others change places from token to token. */
function inTurn(approaches: readonly Approach[], index: number): readonly Approach[] {
  const [repeated, others] = [
    approaches.filter(({ name }) => name === "feed_repeat"),
    approaches.filter(({ name }) => name !== "feed_repeat"),
  ];
  const first = index % others.length;
  return [...others.slice(first), ...others.slice(0, first), ...repeated];
}

async function openApproaches(
  server: RunningVariant,
  { redis, started }: { redis: Redis; started: AsyncDisposableStack },
): Promise<readonly Approach[]> {
  const { issuer } = server;
  const client = { id: billingApi.id, secret: server.clientSecret };
  const verifier = createVerifier({ issuer, audience: ordersResource.identifier, revocations: "feed", client });
  started.defer(() => verifier.close());
  await verifier.ready();
  const keys = createRemoteJWKSet(new URL(`${issuer}/jwks`));
  const verifyAlone = (token: string) =>
    jwtVerify(token, keys, { issuer, audience: ordersResource.identifier, typ: "at+jwt" });
  const introspection = await createIntrospection(server);
  started.defer(() => introspection.close());
  return [
    { name: "stateless", calls: 1, check: verifyAlone },
    { name: "feed_first", calls: 1, check: (token) => verifier.verify(token) },
    { name: "feed_repeat", calls: REPEATS, check: (token) => verifier.verify(token) },
    {
      name: "lookup",
      calls: 1,
      async check(token) {
        const { payload } = await verifyAlone(token);
        if ((await redis.exists(`lk:{${String(payload["sid"])}}`)) !== 1) throw new Error("the session is not there");
      },
    },
    {
      name: "introspection",
      calls: 1,
      async check(token) {
        if (!(await introspection.isActive(token))) throw new Error("introspection does not know the token");
      },
    },
  ];
}

/** Tokens of people, each of them used once, so that no approach has seen it before. */
async function collectTokens(server: RunningVariant, count: number): Promise<readonly string[]> {
  const load = await createLoad(server, { personCount: PEOPLE, connectionsMax: 1 });
  const tokens: string[] = [];
  try {
    for (let index = 0; index < count; index += 1) {
      await load.perform("refresh", index);
      tokens.push(load.accessTokenOf(index));
    }
  } finally {
    load.close();
  }
  if (decodeJwt(tokens[0] ?? "")["sid"] === undefined) throw new Error("the tokens are not bound to a session");
  return tokens;
}

function summarize(timings: ReadonlyMap<string, readonly number[]>): readonly Row[] {
  const stateless = timings.get("stateless") ?? [];
  return [...timings].flatMap(([variant, microseconds]) => {
    const sorted = microseconds.toSorted((left, right) => left - right);
    const row = { scenario: "validation", variant };
    const ratios = medianInterval(microseconds.map((value, index) => value / (stateless[index] ?? Number.NaN)));
    return [
      { ...row, metric: "p50_us", value: percentile(sorted, 0.5), unit: "µs" },
      { ...row, metric: "p99_us", value: percentile(sorted, 0.99), unit: "µs" },
      { ...row, metric: "ratio_to_stateless", value: ratios.median, unit: "1" },
      { ...row, metric: "ratio_low", value: ratios.low, unit: "1" },
      { ...row, metric: "ratio_high", value: ratios.high, unit: "1" },
    ];
  });
}
