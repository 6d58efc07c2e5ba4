import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { createRemoteJWKSet, customFetch, decodeJwt, decodeProtectedHeader, jwtVerify } from "jose";
import { sql } from "kysely";
import * as client from "openid-client";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { SIGNATURE_ALGORITHMS } from "../../src/clients/index.ts";
import { openPostgres } from "../../src/storage/index.ts";
import { createVerifier, type Verifier } from "../../src/verifier/index.ts";
import { alice, ordersApi } from "../support/cast.ts";
import { createTableDatabase } from "../support/stores.ts";
import { createWorld, type World } from "../support/world.ts";
import { fetchAt } from "./chosen-node.ts";
import { FAULT_TIMEOUT_MS, times } from "./counts.ts";
import { ROTATION_SECONDS, startRing } from "./key-ring-node.ts";
import { type FaultyNode, startFaultyNode } from "./nodes.ts";

const ROTATIONS = times({ short: 2, full: 30 });
/** A short count skips most of them. */
const KILL_STEPS_APART = times({ short: 9, full: 1 });
/** More statements than a transition has: the node of the last round is not killed any more. */
const STATEMENTS_MAX = 60;

/**
 * Compressed, and not below what verifiers need: the cache's second, the ten seconds for which our verifier and `jose`,
 * set to the same, do not look for an unknown key again, and a second for the nodes.
 */
const SCHEDULE = { JWKS_CACHE_SECONDS: "1", KEY_LEAD_SECONDS: "13", KEY_ROTATION_SECONDS: "13" };
const COOL_DOWN_MS = 10_000;
const NODES_HEAR_MS = 1_000;
const PAUSE_MS = 10;

type Fetch = typeof fetch;

describe("two nodes under load while keys rotate", () => {
  let world: World;
  let nodes: readonly FaultyNode[];
  beforeAll(async () => {
    world = await createWorld({ stores: "redis", settings: SCHEDULE });
    const settings = { ...world.latchkey.settings } as Record<string, string>;
    nodes = await Promise.all([startFaultyNode(settings), startFaultyNode(settings)]);
  });
  afterAll(async () => {
    for (const node of nodes) await node.stop();
    await world.close();
  });

  let turn = 0;
  const anyOrigin = (): string => nodes[(turn += 1) % nodes.length]?.origin ?? "";

  /** Keeps the key set for as long as it may, as a cache between a service and the nodes does. */
  function cachingFetch(): Fetch {
    const ask = fetchAt(anyOrigin);
    let kept: { readonly body: string; readonly until: number } | undefined;
    return async (input, init) => {
      const url = new URL(input instanceof Request ? input.url : input);
      if (url.pathname !== "/jwks") return ask(input, init);
      if (kept === undefined || kept.until <= performance.now()) {
        const askedAt = performance.now();
        const answer = await ask(input, init);
        const seconds = Number(/max-age=(\d+)/.exec(answer.headers.get("cache-control") ?? "")?.[1] ?? 0);
        kept = { body: await answer.text(), until: askedAt + seconds * 1_000 };
      }
      return new Response(kept.body, { headers: { "content-type": "application/json" } });
    };
  }

  const issuerOf = (): string => world.latchkey.issuer;

  function joseSet() {
    return createRemoteJWKSet(new URL(`${issuerOf()}/jwks`), {
      cooldownDuration: COOL_DOWN_MS,
      [customFetch]: cachingFetch(),
    });
  }

  /**
   * An app. Its library looks for an unknown key after 60 s only, which cannot be compressed: so it lives from one
   * rotation to the next, and what it loaded at its start has to do for both.
   */
  async function openApp(): Promise<client.Configuration> {
    const ask = cachingFetch();
    return client.discovery(new URL(issuerOf()), "notesWeb", undefined, client.None(), {
      execute: [client.allowInsecureRequests, client.enableNonRepudiationChecks],
      [client.customFetch]: (url, { method, headers, body }) => ask(url, { method, headers, body: bodyOf(body) }),
    });
  }

  interface Watch {
    readonly failures: string[];
    readonly tokens: string[];
    readonly kids: Set<string>;
    isOver: boolean;
  }

  /** A service's tokens, each shown to our verifier and to `jose` at once. */
  async function issueAndVerify(watch: Watch, verifiers: { readonly ours: Verifier; readonly jose: Fetchless }) {
    const basic = { client_id: "billingApi", client_secret: world.secrets.get("billingApi") ?? "" };
    const authorization = `Basic ${Buffer.from(`${basic.client_id}:${basic.client_secret}`).toString("base64")}`;
    const ask = fetchAt(anyOrigin);
    while (!watch.isOver) {
      const body = new URLSearchParams({ grant_type: "client_credentials", scope: "orders:read" }).toString();
      const headers = { authorization, "content-type": "application/x-www-form-urlencoded" };
      const answer = await ask(`${issuerOf()}/token`, { method: "POST", headers, body });
      const { access_token: token = "" } = (await answer.json()) as { readonly access_token?: string };
      if (answer.status !== 200) watch.failures.push(`token: ${answer.status}`);
      await verifiers.ours.verify(token).catch((error: unknown) => watch.failures.push(`ours: ${String(error)}`));
      await verifiers.jose(token).catch((error: unknown) => watch.failures.push(`jose: ${String(error)}`));
      watch.tokens.push(token);
      watch.kids.add(kidOf(token));
      await delay(PAUSE_MS);
    }
  }

  type Fetchless = (token: string) => Promise<unknown>;

  /** A person's app, which checks the signature of every ID token. */
  async function refreshAndVerify(watch: Watch): Promise<void> {
    let { refreshToken } = await world.apps.notesWeb.signIn(world.openBrowser(), alice);
    let [app, kid] = [await openApp(), ""];
    while (!watch.isOver) {
      const tokens = await client.refreshTokenGrant(app, refreshToken).catch((error: unknown) => {
        watch.failures.push(`openid-client: ${String(error)}`);
        return undefined;
      });
      refreshToken = tokens?.refresh_token ?? refreshToken;
      const signer = kidOf(tokens?.id_token);
      if (kid !== "" && signer !== "" && signer !== kid) {
        // Nobody starts within the moment in which nodes hear of a rotation.
        await delay(NODES_HEAR_MS);
        app = await openApp();
      }
      if (signer !== "") kid = signer;
      await delay(PAUSE_MS);
    }
  }

  test(
    `in ${ROTATIONS} rotations no request fails, and no token fails our verifier, jose or openid-client`,
    { timeout: FAULT_TIMEOUT_MS },
    async () => {
      const orders = { issuer: issuerOf(), audience: ordersApi.identifier };
      const ours = createVerifier({ ...orders, revocations: "none", fetch: cachingFetch() });
      onTestFinished(() => ours.close());
      const keySet = joseSet();
      const jose: Fetchless = (token) => jwtVerify(token, keySet, orders);
      const watch: Watch = { failures: [], tokens: [], kids: new Set(), isOver: false };
      const load = [1, 2, 3, 4].map(() => issueAndVerify(watch, { ours, jose }));
      load.push(refreshAndVerify(watch));
      try {
        await expect
          .poll(() => watch.kids.size, { timeout: FAULT_TIMEOUT_MS, interval: 100 })
          .toBeGreaterThan(ROTATIONS);
      } finally {
        watch.isOver = true;
        await Promise.all(load);
      }
      expect(watch.failures).toEqual([]);
      // Whoever comes later can verify what was issued under any key, as long as it has not expired.
      const currentDate = new Date();
      const living = watch.tokens.filter((token) => (decodeJwt(token).exp ?? 0) * 1_000 > currentDate.getTime());
      const lateSet = joseSet();
      const late = await Promise.allSettled(
        living.map((token) => jwtVerify(token, lateSet, { ...orders, currentDate })),
      );
      expect(late.filter(({ status }) => status === "rejected")).toEqual([]);
      process.stdout.write(
        `${ROTATIONS} rotations: ${watch.tokens.length} tokens of ${watch.kids.size} keys verified, none failed\n`,
      );
    },
  );
});

describe("a node that is killed in the middle of a transition", () => {
  test(
    "leaves it undone or done, whichever of its statements was the last, and the next node completes it",
    { timeout: FAULT_TIMEOUT_MS },
    async () => {
      const secret = "s".repeat(40);
      const store = await createTableDatabase();
      const database = openPostgres({ url: store.url, poolMax: 4, onConnectionError: () => undefined });
      onTestFinished(async () => {
        await database.close();
        await store.drop();
      });
      await (await startRing({ database, secret, aheadMs: 0 })).close();
      let [aheadMs, killed, killAt] = [0, 0, 2];
      for (; killAt < STATEMENTS_MAX; killAt += KILL_STEPS_APART) {
        aheadMs += ROTATION_SECONDS * 1_000;
        const wasKilled = (await runUntilKilled({ url: store.url, secret, aheadMs, killAt })) === "SIGKILL";
        await (await startRing({ database, secret, aheadMs })).close();
        const keys = await describeKeys();
        expect([keys.length, new Set(keys)]).toEqual([EXPECTED_KEYS.size, EXPECTED_KEYS]);
        if (!wasKilled) break;
        killed += 1;
      }
      expect(killed).toBeGreaterThan(2);
      const rotations = killed + 1;
      const { rows } = await sql<{ type: string; count: number }>`
        select type, count(*)::int as count from audit_events group by type order by type`.execute(database.db);
      // Nothing was done twice, and nothing went unrecorded.
      const all = SIGNATURE_ALGORITHMS.length;
      expect(Object.fromEntries(rows.map(({ type, count }) => [type, count]))).toEqual({
        signing_key_rotated: all * rotations,
        signing_key_created: all * (rotations + 2),
        signing_key_deleted: all * (rotations - 1),
        signing_key_retired: all * rotations,
      });
      process.stdout.write(`killed at ${killed} statements of a transition: all completed, nothing done twice\n`);

      async function describeKeys(): Promise<readonly string[]> {
        const keys = await sql<{ key: string }>`
          select algorithm || ' ' || state as key from oidc_signing_keys`.execute(database.db);
        return keys.rows.map(({ key }) => key);
      }
    },
  );
});

const EXPECTED_KEYS = new Set(
  SIGNATURE_ALGORITHMS.flatMap((algorithm) => ["current", "next", "retired"].map((state) => `${algorithm} ${state}`)),
);

/** Empty for a token that there is not. */
function kidOf(token: string | undefined): string {
  return token === undefined || token === "" ? "" : (decodeProtectedHeader(token).kid ?? "");
}

/** Forms are all that the library sends. */
function bodyOf(body: client.FetchBody): string {
  return body instanceof URLSearchParams ? body.toString() : "";
}

/** Resolves with the signal that ended it, `null` when it had done its work. */
async function runUntilKilled(node: { url: string; secret: string; aheadMs: number; killAt: number }) {
  const script = join(import.meta.dirname, "key-transition-process.ts");
  const args = [script, node.url, node.secret, String(node.aheadMs), String(node.killAt)];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "ignore", "pipe"] });
  let complaint = "";
  child.stderr.on("data", (chunk: Buffer) => (complaint += chunk.toString()));
  const [code, signal] = (await once(child, "close")) as [number | null, NodeJS.Signals | null];
  if (signal === null && code !== 0) throw new Error(`the node failed: ${complaint}`);
  return signal;
}
