import { createServer } from "node:net";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { SIGNATURE_ALGORITHMS } from "../../../src/clients/index.ts";
import { createLogger } from "../../../src/observability/index.ts";
import { layCable } from "../../support/cable.ts";
import { alice, ordersApi } from "../../support/cast.ts";
import { openFeed } from "../../support/feed-client.ts";
import { signInAs, submitSignIn } from "../../support/journeys.ts";
import { startLatchkey, type Stores } from "../../support/latchkey.ts";
import { type Scraper, scrape } from "../../support/prometheus.ts";
import { askNode } from "../../support/raw-http.ts";
import { errorOf } from "../../support/relying-party.ts";
import { freePort } from "../../support/servers.ts";
import { addService, ordersService, post } from "../../support/services.ts";
import { createTestRedis } from "../../support/stores.ts";
import { walkThrough } from "../../support/walk-through.ts";
import { createWorld, type World } from "../../support/world.ts";
import { enrollPerson, submitCode } from "../mfa/people.ts";

const EVENTUALLY = { timeout: 10_000, interval: 20 };

let world: World;
let metrics: Scraper;
let secrets: readonly string[];

async function open(stores: Stores): Promise<void> {
  const port = String(await freePort());
  world = await createWorld({ stores, settings: { METRICS_PORT: port } });
  metrics = scrape(port);
}

describe("after a walk through everything", () => {
  beforeAll(async () => {
    await open("redis");
    secrets = await walkThrough(world);
  });
  afterAll(() => world.close());

  test.each([
    ["latchkey_http_request_duration_seconds_count", { route: "/token", method: "POST", status: "2xx", outcome: "ok" }],
    ["latchkey_http_request_duration_seconds_count", { route: "/token", status: "4xx", outcome: "refused" }],
    ["latchkey_http_request_duration_seconds_count", { route: "/authorize/:uid", status: "3xx", outcome: "ok" }],
    [
      "latchkey_http_request_duration_seconds_count",
      { route: "/interaction/:uid/sign-in", method: "POST", status: "4xx", outcome: "refused" },
    ],
    ["latchkey_http_request_duration_seconds_bucket", { route: "/userinfo", le: "+Inf" }],
    ["latchkey_http_request_duration_seconds_sum", { route: "/jwks" }],
    ["latchkey_http_refusals_total", { reason: "invalid_grant" }],
    ["latchkey_http_refusals_total", { reason: "invalid_client" }],
    ["latchkey_http_refusals_total", { reason: "signIn.mismatch" }],
    ["latchkey_tokens_issued_total", { grant_type: "authorization_code", format: "jwt" }],
    ["latchkey_tokens_issued_total", { grant_type: "authorization_code", format: "opaque" }],
    ["latchkey_tokens_issued_total", { grant_type: "authorization_code", format: "id_token" }],
    ["latchkey_tokens_issued_total", { grant_type: "authorization_code", format: "refresh_token" }],
    ["latchkey_tokens_issued_total", { grant_type: "refresh_token", format: "jwt" }],
    ["latchkey_tokens_issued_total", { grant_type: "client_credentials", format: "jwt" }],
    ["latchkey_refreshes_total", { outcome: "rotated" }],
    ["latchkey_sign_ins_total", { method: "password", result: "succeeded" }],
    ["latchkey_sign_ins_total", { method: "password", result: "failed" }],
    ["latchkey_audit_events_total", { type: "session_started" }],
    ["latchkey_audit_events_total", { type: "authorization_code_reused" }],
    ["latchkey_revocations_total", { kind: "consent" }],
    ["latchkey_revocations_total", { kind: "session" }],
    ["latchkey_store_call_duration_seconds_count", { store: "redis", operation: "hgetall" }],
    ["latchkey_store_call_duration_seconds_count", { store: "redis", operation: "evalsha" }],
    ["latchkey_store_call_duration_seconds_count", { store: "postgres", operation: "select" }],
    ["latchkey_store_call_duration_seconds_count", { store: "postgres", operation: "commit" }],
    ["latchkey_store_round_trips_total", { store: "redis" }],
    ["latchkey_store_round_trips_total", { store: "postgres" }],
    ["process_resident_memory_bytes", {}],
  ])("%s has counted %o", async (name, labels) => {
    expect(await metrics.valueOf(name, labels)).toBeGreaterThan(0);
  });

  test("what the event loop kept waiting is counted once a second", async () => {
    await expect.poll(() => metrics.valueOf("latchkey_event_loop_delay_seconds_count"), EVENTUALLY).toBeGreaterThan(0);
  });

  test("one key of each algorithm is current, and is as old as the deployment", async () => {
    for (const algorithm of SIGNATURE_ALGORITHMS) {
      expect(await metrics.valueOf("latchkey_signing_keys", { algorithm, state: "current" })).toBe(1);
      const age = await metrics.valueOf("latchkey_signing_key_age_seconds", { algorithm, state: "current" });
      expect(age).toBeGreaterThanOrEqual(0);
      expect(age).toBeLessThan(3_600);
    }
    expect(await metrics.valueOf("latchkey_unknown_gauges")).toBe(0);
  });

  test("sessions that are alive are counted, and nobody waits for a password to be hashed", async () => {
    expect(await metrics.valueOf("latchkey_sessions_alive")).toBeGreaterThan(0);
    expect(await metrics.valueOf("latchkey_password_hashing", { state: "waiting" })).toBe(0);
    expect(await metrics.valueOf("latchkey_password_hashing_refused_total")).toBe(0);
  });

  test("no secret, token, code, address or name is in them", async () => {
    const { body } = await metrics.ask();
    expect(secrets.length).toBeGreaterThan(30);
    for (const secret of secrets) expect(body.includes(secret), secret.slice(0, 12)).toBe(false);
  });

  test("what a stranger makes up becomes no value of a label", async () => {
    const { issuer } = world.latchkey;
    const before = (await metrics.read()).length;
    const mark = "MadeUpByMallory";
    for (let count = 0; count < 40; count += 1) {
      const made = `${mark}${count}`;
      await askNode(`${issuer}/${made}/x`);
      await askNode(`${issuer}/interaction/${made}`);
      await askNode(`${issuer}/interaction/${made}/sign-in`, { method: "POST" });
      await askNode(`${issuer}/authorize/${made}`);
      await askNode(`${issuer}/authorize?client_id=${made}&response_type=${made}&prompt=${made}`);
      await askNode(`${issuer}/assets/${made}.css`);
      await askNode(`${issuer}/jwks`, { method: "PROPFIND" });
      await askNode(`${issuer}/token`, {
        method: "POST",
        headers: { "content-type": "application/x-www-form-urlencoded" },
        body: new URLSearchParams({ grant_type: made, client_id: "shopWeb", code: made, scope: made }).toString(),
      });
      await askNode(`${issuer}/health/live`, { headers: { host: `${made}.example.com` } });
      await askNode(`${issuer}/jwks`, { headers: { host: `${made}.example.com` } });
    }
    const samples = await metrics.read();
    expect(samples.filter(({ labels }) => JSON.stringify(labels).includes(mark))).toEqual([]);
    // Each kind of request may have made a series of its own, with its buckets; forty of a kind make no more.
    expect(samples.length - before).toBeLessThan(10 * 16);
    const requests = samples.filter(({ name }) => name === "latchkey_http_request_duration_seconds_count");
    const methods = new Set(requests.map(({ labels }) => labels["method"] ?? ""));
    expect([...methods].toSorted()).toEqual(["GET", "POST", "other"]);
  });

  test("nothing but GET /metrics is answered there, and nothing of the kind where people are", async () => {
    expect((await metrics.ask("/")).status).toBe(404);
    expect((await metrics.ask("/token", "POST")).status).toBe(404);
    expect((await metrics.ask("/metrics", "POST")).status).toBe(405);
    expect((await metrics.ask("/metrics", "HEAD")).body).toBe("");
    expect((await metrics.ask("/metrics")).headers.get("content-type")).toMatch(/^text\/plain; version=0\.0\.4/);
    expect((await askNode(`${world.latchkey.issuer}/metrics`)).status).toBe(404);
  });
});

describe.each(["redis", "postgres"] as const)("each kind of event shows by itself (%s)", (stores) => {
  beforeAll(() => open(stores));
  afterAll(() => world.close());

  test("a retry of a refresh, and the use of a spent token", async () => {
    const { shopWeb } = world.apps;
    const { refreshToken } = await shopWeb.signIn(world.openBrowser(), alice);
    await shopWeb.refresh(refreshToken);
    const { refreshToken: successor } = await shopWeb.refresh(refreshToken);
    expect(await metrics.valueOf("latchkey_refreshes_total", { outcome: "rotated" })).toBe(1);
    expect(await metrics.valueOf("latchkey_refreshes_total", { outcome: "replayed" })).toBe(1);
    await shopWeb.refresh(successor);
    await errorOf(shopWeb.refresh(refreshToken));
    expect(await metrics.valueOf("latchkey_refreshes_total", { outcome: "reuse" })).toBe(1);
    await errorOf(shopWeb.refresh(successor));
    expect(await metrics.valueOf("latchkey_refreshes_total", { outcome: "refused" })).toBe(1);
    const type = "refresh_token_reused";
    expect(await metrics.valueOf("latchkey_audit_events_total", { type })).toBe(1);
  });

  test("factors that are added, proved, refused and removed", async () => {
    const person = await enrollPerson(world);
    const browser = world.openBrowser();
    const request = await world.apps.notesWeb.begin();
    const page = await submitSignIn(browser, await browser.open(request.url), person);
    const wrong = await submitCode(browser, page, person.app.wrongCode());
    await submitCode(browser, wrong, person.app.code());
    const [device] = (await world.latchkey.factors.overview(person.id)).totpDevices;
    await world.latchkey.factors.remove(person.id, device?.id ?? "", { address: "198.51.100.9" });
    const name = "latchkey_factors_total";
    for (const event of ["enrolled", "refused", "verified", "removed"]) {
      expect(await metrics.valueOf(name, { factor: "totp", event }), event).toBe(1);
    }
    expect(await metrics.valueOf(name, { factor: "recovery_code", event: "enrolled" })).toBe(1);
    expect(await metrics.valueOf("latchkey_http_refusals_total", { reason: "field.code.wrong" })).toBe(1);
  });

  test("a service that listens, and how long it waited for a revocation", async () => {
    const caller = await addService(world.latchkey, ordersService);
    const parameters = { grant_type: "client_credentials", scope: "revocations" };
    const { body } = await post(world.latchkey, "/token", { caller, parameters });
    const feed = await openFeed(world.latchkey, { token: (body as { access_token: string }).access_token });
    await feed.upToDate();
    expect(await metrics.valueOf("latchkey_feed_connections")).toBe(1);
    const before = await metrics.valueOf("latchkey_feed_lag_seconds_count");
    const seconds = await metrics.valueOf("latchkey_feed_lag_seconds_sum");
    await world.latchkey.revocations.record([
      { kind: "session", sessionId: "one-that-ended", audiences: [ordersApi.identifier] },
    ]);
    await expect.poll(() => feed.values(), EVENTUALLY).toContain("one-that-ended");
    await expect.poll(() => metrics.valueOf("latchkey_feed_lag_seconds_count"), EVENTUALLY).toBeGreaterThan(before);
    expect((await metrics.valueOf("latchkey_feed_lag_seconds_sum")) - seconds).toBeLessThan(5);
    expect(await metrics.valueOf("latchkey_revocations_total", { kind: "session" })).toBeGreaterThan(0);
    feed.close();
    await expect.poll(() => metrics.valueOf("latchkey_feed_connections"), EVENTUALLY).toBe(0);
  });

  test("sign-ins that cannot be served, because too many passwords wait to be hashed", async () => {
    const tries = Array.from({ length: 100 }, (_, count) =>
      world.latchkey.accounts
        .signIn({ email: `nobody-${count}@example.com`, password: "x", source: { address: `198.51.100.${count}` } })
        .catch(() => undefined),
    );
    await expect
      .poll(() => metrics.valueOf("latchkey_password_hashing", { state: "waiting" }), EVENTUALLY)
      .toBeGreaterThan(0);
    expect(await metrics.valueOf("latchkey_password_hashing", { state: "running" })).toBeGreaterThan(0);
    await Promise.all(tries);
    expect(await metrics.valueOf("latchkey_password_hashing_refused_total")).toBeGreaterThan(0);
  });

  test("everybody who is signed in is alive, until they are not", async () => {
    const fresh = await createWorldApart(stores);
    const { world: apart, metrics: seen } = fresh;
    for (let count = 0; count < 3; count += 1) await signInAs(apart.openBrowser(), alice, apart.latchkey.issuer);
    expect(await seen.valueOf("latchkey_sessions_alive")).toBe(3);
  });
});

async function createWorldApart(stores: Stores): Promise<{ world: World; metrics: Scraper }> {
  const port = String(await freePort());
  const apart = await createWorld({ stores, settings: { METRICS_PORT: port } });
  onTestFinished(() => apart.close());
  return { world: apart, metrics: scrape(port) };
}

test("while Redis is away, metrics and log say so, and metrics are answered all the same", async () => {
  const ground = await createTestRedis();
  const cable = await layCable(ground.url);
  const lines: string[] = [];
  const port = String(await freePort());
  const broken = await createWorld({
    stores: "redis",
    settings: { REDIS_URL: cable.url, METRICS_PORT: port },
    logger: createLogger({ level: "info", destination: { write: (line) => void lines.push(line) } }),
  });
  onTestFinished(async () => {
    await broken.close();
    await cable.close();
    await ground.drop();
  });
  const seen = scrape(port);
  const { refreshToken } = await broken.apps.shopWeb.signIn(broken.openBrowser(), alice);
  await cable.cut();
  lines.length = 0;
  expect((await broken.apps.shopWeb.requestRefresh(refreshToken)).status).toBe(503);
  const failed = { route: "/token", status: "5xx", outcome: "failed" };
  expect(await seen.valueOf("latchkey_http_request_duration_seconds_count", failed)).toBe(1);
  expect(await seen.valueOf("latchkey_http_refusals_total", { reason: "STORE_UNAVAILABLE" })).toBe(1);
  expect(await seen.valueOf("latchkey_store_failures_total", { store: "redis" })).toBeGreaterThan(0);
  expect(await seen.valueOf("latchkey_unknown_gauges")).toBe(1);
  expect(await seen.valueOf("latchkey_signing_keys")).toBe(2 * SIGNATURE_ALGORITHMS.length);
  const line = lines.map((text) => JSON.parse(text) as Record<string, unknown>).find(({ msg }) => msg === "request");
  expect(line).toMatchObject({ route: "/token", status: 503, outcome: "failed", reason: "STORE_UNAVAILABLE" });
  await cable.mend();
  await expect.poll(() => seen.valueOf("latchkey_unknown_gauges"), EVENTUALLY).toBe(0);
});

test("the embedded database is measured as Postgres is, and nobody listens once the server stopped", async () => {
  const port = String(await freePort());
  const latchkey = await startLatchkey({ stores: "embedded", settings: { METRICS_PORT: port } });
  const seen = scrape(port);
  await askNode(`${latchkey.issuer}/`);
  const store = { store: "postgres", operation: "select" };
  expect(await seen.valueOf("latchkey_store_call_duration_seconds_count", store)).toBeGreaterThan(0);
  expect(await seen.valueOf("latchkey_signing_keys")).toBe(2 * SIGNATURE_ALGORITHMS.length);
  expect(await seen.valueOf("latchkey_sessions_alive")).toBe(0);
  await latchkey.close();
  await expect(seen.ask()).rejects.toThrow("ECONNREFUSED");
});

test("a port that is taken stops the start, and is named", async () => {
  const taken = createServer();
  await new Promise<void>((resolve) => void taken.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void taken.close());
  const address = taken.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const started = startLatchkey({ stores: "redis", settings: { METRICS_PORT: String(port) } });
  await expect(started).rejects.toMatchObject({ code: "EADDRINUSE", port });
});
