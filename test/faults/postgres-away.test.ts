/**
 * Postgres down, hung, failing over, or with no connection left, with the server as a process of its own.
 *
 * | fault | what has to be | figure |
 * |---|---|---|
 * | down, hung | what needs it is 503 with Retry-After; metadata, keys and liveness are 200; not ready | within a second; back within 5 s |
 * | fails over: connections cut, then a server that only reads for some seconds | 503 while nothing can be written; nothing is written twice | errors for 10 s at most after it writes again |
 * | connections cut, and a server is there at once | reads that found their connection broken are done once more | 0 of the reads fail |
 * | every connection in use | 503; liveness and readiness do not wait for one | within a second |
 */
import { sql } from "kysely";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { isAppError } from "../../src/core/index.ts";
import { enrollPerson } from "../flow/mfa/people.ts";
import { fromAnywhere } from "../support/addresses.ts";
import { Browser } from "../support/browser.ts";
import { bob } from "../support/cast.ts";
import type { Stores } from "../support/latchkey.ts";
import { askNode, type RawAnswer } from "../support/raw-http.ts";
import { FAULT_TIMEOUT_MS, printFigure, times } from "./counts.ts";
import { deploy, type Deployment, type WiredNode } from "./deployment.ts";
import { type Answered, percentileMs, startLoad, statusesOf } from "./load.ts";
import { askForTokens, openFamilies, refreshUntilAnswered } from "./refreshing-app.ts";

const AWAY_MS = times({ short: 2_500, full: 20_000 });
const READ_ONLY_MS = times({ short: 2_000, full: 10_000 });
const FAILOVERS = times({ short: 1, full: 10 });
const APPS = times({ short: 4, full: 12 });
const ANSWER_MS_MAX = times({ short: 3_000, full: 1_200 });
const RECOVERY_MS_MAX = 5_000;
const ERRORS_AFTER_MS_MAX = 10_000;
const CUTS = times({ short: 5, full: 100 });
/** Ten times a second, for as long as nothing can be written and ten seconds more. */
const RETRIES_MAX = (READ_ONLY_MS + ERRORS_AFTER_MS_MAX) / 100;
const WITHIN = { timeout: 20_000, interval: 10 };

const STORES = times<readonly Stores[]>({ short: ["postgres"], full: ["redis", "postgres"] });

describe.each(STORES)("a node whose Postgres is away, with sessions in %s", (stores) => {
  let deployment: Deployment;
  let node: WiredNode;
  let host: string;
  let direct: pg.Client;
  beforeAll(async () => {
    deployment = await deploy({ stores, nodes: 1, issuerIs: "balanced" });
    const [first] = deployment.nodes;
    if (first === undefined) throw new Error("there is no node");
    node = first;
    host = new URL(deployment.world.latchkey.issuer).host;
    direct = new pg.Client(deployment.world.latchkey.settings.DATABASE_URL);
    await direct.connect();
  });
  afterAll(async () => {
    await direct.end();
    await deployment.close();
  });

  const ask = (path: string, options = {}): Promise<Answered> =>
    askNode(node.origin + path, { headers: { host }, ...options });
  const endpoint = () => ({ url: `${node.origin}/token`, host });

  /** As the billing API. */
  function postForm(path: string, form: Readonly<Record<string, string>>): Promise<RawAnswer> {
    const secret = deployment.world.secrets.get("billingApi") ?? "";
    const authorization = `Basic ${Buffer.from(`billingApi:${secret}`).toString("base64")}`;
    const headers = { host, authorization, "content-type": "application/x-www-form-urlencoded" };
    return askNode(node.origin + path, { method: "POST", headers, body: new URLSearchParams(form).toString() });
  }
  const issueTokens = (): Promise<RawAnswer> =>
    postForm("/token", { grant_type: "client_credentials", scope: "orders:read" });

  /** Revokes one token after the other, each until that is acknowledged: a row of the feed, which must not come twice. */
  function createRevoker() {
    let token = "";
    let acknowledged = 0;
    return {
      acknowledged: () => acknowledged,
      async revoke(): Promise<RawAnswer> {
        if (token === "") {
          const issued = await issueTokens();
          if (issued.status !== 200) return issued;
          token = (JSON.parse(issued.body) as { readonly access_token: string }).access_token;
        }
        const answer = await postForm("/revoke", { token });
        if (answer.status === 200) [token, acknowledged] = ["", acknowledged + 1];
        return answer;
      },
    };
  }

  const published = ["/.well-known/openid-configuration", "/jwks", "/health/live"].map((path) => () => ask(path));

  test.each(["cut", "stall"] as const)(
    "(wire: %s) answers 503 within the second, serves what is published, and is back within 5 s",
    { timeout: FAULT_TIMEOUT_MS },
    async (fault) => {
      const { world } = deployment;
      const waiting = world.openBrowser();
      const form = await waiting.open((await world.apps.notesWeb.begin()).url);
      // From ever new places: so many tries from one would be throttled.
      const signIn = () =>
        new Browser({ jar: waiting.jar, headers: fromAnywhere() }).submit(form, form.formWith("password"), {
          values: { ...bob },
        });
      await node.postgres[fault]();
      const brokenAtMs = performance.now();
      const load = startLoad({
        tokens: [issueTokens],
        "sign-in": [signIn],
        published,
        ready: [() => ask("/health/ready")],
      });
      await new Promise((resolve) => setTimeout(resolve, AWAY_MS));
      const mendedAtMs = performance.now();
      await node.postgres.mend();
      const isBack = (): boolean =>
        load.answers.some(
          ({ what, status, startedAtMs }) => what === "tokens" && startedAtMs > mendedAtMs && status === 200,
        );
      await expect.poll(isBack, WITHIN).toBe(true);
      const backAfterMs = performance.now() - mendedAtMs;
      await load.stop();
      const away = load.between(brokenAtMs, mendedAtMs);
      const of = (what: string) => away.filter((one) => one.what === what);
      // A node signs from memory for some seconds, and clients are known for one.
      const needy = [...of("tokens"), ...of("sign-in")].filter(({ status }) => status !== 200);
      expect(of("sign-in").filter(({ status }) => status !== 503)).toEqual([]);
      expect(statusesOf(needy)).toEqual({ 503: needy.length });
      expect(needy.filter(({ retryAfter }) => !(retryAfter > 0))).toEqual([]);
      expect(statusesOf(of("published"))).toEqual({ 200: of("published").length });
      expect(statusesOf(of("ready"))).toEqual({ 503: of("ready").length });
      expect(percentileMs(needy)).toBeLessThan(ANSWER_MS_MAX);
      expect(backAfterMs).toBeLessThan(RECOVERY_MS_MAX);
      printFigure(
        `postgres ${fault} for ${AWAY_MS} ms (${stores}): ${needy.length} answers, all 503, p99 ${percentileMs(needy)} ms; ` +
          `published p99 ${percentileMs(of("published"))} ms; back after ${Math.round(backAfterMs)} ms`,
      );
    },
  );

  /** As a failover looks to us: every connection breaks, and what answers then only reads, until it is promoted. */
  async function failOver(): Promise<void> {
    const { rows } = await direct.query<{ name: string }>("select current_database() as name");
    const name = rows[0]?.name ?? "";
    await direct.query(`alter database ${name} set default_transaction_read_only = on`);
    await direct.query("select pg_terminate_backend(pid) from pg_stat_activity where datname = $1 and pid <> $2", [
      name,
      (await direct.query<{ pid: number }>("select pg_backend_pid() as pid")).rows[0]?.pid,
    ]);
    await new Promise((resolve) => setTimeout(resolve, READ_ONLY_MS));
    await direct.query("set default_transaction_read_only = off");
    // Of the sessions that there are each keeps what it began with, as one does that leads to a server that was replaced.
    await direct.query(`alter database ${name} reset default_transaction_read_only`);
  }

  test(
    `fails over ${FAILOVERS} times: 503 meanwhile, nothing written twice, errors for 10 s at most`,
    { timeout: FAULT_TIMEOUT_MS },
    async () => {
      const { world } = deployment;
      const { database } = world.latchkey;
      const holder = await enrollPerson(world);
      const apps = (await openFamilies(world, APPS)).map((token) => ({ token, forks: 0, signedOut: "" }));
      const isOver = { now: false };
      const refreshing = apps.map(async (app) => {
        while (!isOver.now && app.signedOut === "") {
          const form = { client_id: "notesWeb", refresh_token: app.token };
          const both = [0, 1].map(() => refreshUntilAnswered(endpoint, form, RETRIES_MAX));
          const [one, other] = await Promise.all(both).catch((error: unknown) => {
            app.signedOut = String(error);
            return ["", ""];
          });
          if (one !== other) app.forks += 1;
          app.token = one ?? "";
        }
      });
      const revoker = createRevoker();
      const load = startLoad({ tokens: [issueTokens], revocations: [() => revoker.revoke()], published });
      const late: number[] = [];
      for (let round = 0; round < FAILOVERS; round += 1) {
        const brokenAtMs = performance.now();
        await failOver();
        const writableAtMs = performance.now();
        await waitUntilSteady();
        const failures = load.answers.filter(({ status, startedAtMs }) => status !== 200 && startedAtMs >= brokenAtMs);
        late.push(Math.max(0, ...failures.map(({ startedAtMs }) => startedAtMs - writableAtMs)));
        expect(failures.filter(({ status }) => status !== 503)).toEqual([]);
        // One person's recovery code, which is worth one row, is spent once.
        const code = holder.recoveryCodes[round] ?? "";
        await expect.poll(() => useRecoveryCode(holder.id, code), WITHIN).toBe("accepted");
      }
      isOver.now = true;
      await Promise.all(refreshing);
      await load.stop();
      expect(apps.map(({ forks, signedOut }) => ({ forks, signedOut }))).toEqual(
        apps.map(() => ({ forks: 0, signedOut: "" })),
      );
      expect(Math.max(...late)).toBeLessThan(ERRORS_AFTER_MS_MAX);
      // Every revocation is there, once.
      const { rows } = await sql<{ records: number; names: number }>`
        select count(*)::int as records, count(distinct value)::int as names
        from revocations where kind = 'token'`.execute(database.db);
      const { records = 0, names = 0 } = rows[0] ?? {};
      expect(records).toBe(names);
      // At most one was carried out and not acknowledged any more.
      expect([0, 1]).toContain(records - revoker.acknowledged());
      expect(load.answers.some(({ what, status }) => what === "revocations" && status === 503)).toBe(true);
      printFigure(
        `${FAILOVERS} failovers of postgres with ${READ_ONLY_MS} ms of reading only (${stores}), ${APPS} apps: ` +
          `0 forks, ${records} revocations, 0 of them twice, ${JSON.stringify(statusesOf(load.answers))}, ` +
          `errors for ${Math.round(Math.max(...late))} ms at most after it writes again`,
      );
    },
  );

  /** At the whole node, which finds out by such a failure that a connection of its own only reads. */
  async function useRecoveryCode(personId: string, code: string): Promise<string> {
    const { recoveryCodes } = deployment.world.latchkey.factors;
    const source = { address: "198.51.100.7", requestId: "request-1" };
    const verifying = recoveryCodes.verify(personId, { code, source }).then(({ outcome }) => outcome);
    return verifying.catch((error: unknown) => {
      if (isAppError(error) && error.code === "STORE_UNAVAILABLE") return error.code;
      throw error;
    });
  }

  async function waitUntilSteady(): Promise<void> {
    let succeeded = 0;
    const isSteady = async (): Promise<boolean> => {
      succeeded =
        (await issueTokens()).status === 200 && (await ask("/health/ready")).status === 200 ? succeeded + 1 : 0;
      return succeeded >= 20;
    };
    await expect.poll(isSteady, WITHIN).toBe(true);
  }

  test(
    `of the reads under ${CUTS} cuts none fails while a server is there`,
    { timeout: FAULT_TIMEOUT_MS },
    async () => {
      const { database } = deployment.world.latchkey;
      const { rows } = await direct.query<{ name: string }>("select current_database() as name");
      const failures: unknown[] = [];
      let reads = 0;
      for (let round = 0; round < CUTS; round += 1) {
        const reading = Array.from({ length: 5 }, async () => {
          reads += 1;
          await deployment.world.latchkey.accounts
            .findByEmail(bob.email)
            .catch((error: unknown) => failures.push(error));
        });
        const { rows: cut } = await direct.query<{ pid: number }>(
          "select pid, pg_terminate_backend(pid) from pg_stat_activity where datname = $1 and pid <> pg_backend_pid()",
          [rows[0]?.name],
        );
        await Promise.all(reading);
        // One that ended late would be the second cut of a read of the next round.
        await expect.poll(() => countRunning(cut.map(({ pid }) => pid)), WITHIN).toBe(0);
        await deployment.world.latchkey.accounts.findByEmail(bob.email).catch((error: unknown) => failures.push(error));
        reads += 1;
      }
      expect(failures).toEqual([]);
      expect(database.kind).toBe("postgres");
      printFigure(`${CUTS} cuts of all connections to postgres: ${reads} reads, 0 failed`);
    },
  );

  async function countRunning(pids: readonly number[]): Promise<number> {
    const { rowCount } = await direct.query("select from pg_stat_activity where pid = any($1)", [pids]);
    return rowCount ?? 0;
  }

  test(
    "with every connection in use answers 503 within the second; probes do not wait",
    { timeout: FAULT_TIMEOUT_MS },
    async () => {
      // Whoever writes waits for this lock, and holds a connection meanwhile.
      await direct.query("begin");
      await direct.query("lock table audit_events, accounts, clients in access exclusive mode");
      const browsers = Array.from({ length: 30 }, () => deployment.world.openBrowser());
      try {
        const load = startLoad({
          "sign-in": browsers.map(
            (browser) => async () => browser.open((await deployment.world.apps.notesWeb.begin()).url),
          ),
          probes: ["/health/live", "/health/ready"].map((path) => () => ask(path)),
        });
        await new Promise((resolve) => setTimeout(resolve, AWAY_MS));
        await load.stop();
        const of = (what: string) => load.answers.filter((one) => one.what === what);
        const refused = of("sign-in").filter(({ status }) => status !== 200);
        expect(refused.length).toBeGreaterThan(30);
        expect(statusesOf(refused)).toEqual({ 503: refused.length });
        expect(percentileMs(refused)).toBeLessThan(ANSWER_MS_MAX);
        expect(statusesOf(of("probes"))).toEqual({ 200: of("probes").length });
        printFigure(
          `pool of postgres exhausted (${stores}): ${refused.length} answers 503, p50 ${percentileMs(refused, 0.5)} ms, ` +
            `p99 ${percentileMs(refused)} ms; probes p99 ${percentileMs(of("probes"))} ms`,
        );
      } finally {
        await direct.query("rollback");
      }
      const isBack = async (): Promise<number> => (await askForTokens(endpoint(), { grant_type: "x" })).status;
      await expect.poll(isBack, WITHIN).toBe(400);
    },
  );
});
