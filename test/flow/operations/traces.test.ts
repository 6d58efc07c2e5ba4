import { once } from "node:events";
import { createServer, type IncomingHttpHeaders } from "node:http";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { createLogger } from "../../../src/observability/index.ts";
import { alice } from "../../support/cast.ts";
import { signInAs } from "../../support/journeys.ts";
import { startLatchkey } from "../../support/latchkey.ts";
import { askNode } from "../../support/raw-http.ts";
import { freePort } from "../../support/servers.ts";
import { type ReceivedSpan, TraceReceiver } from "../../support/trace-receiver.ts";
import { walkThrough } from "../../support/walk-through.ts";
import { createWorld, type World } from "../../support/world.ts";

const EVENTUALLY = { timeout: 10_000, interval: 20 };
const TRACE_ID = "0af7651916cd43dd8448eb211c80319c";
const PARENT_ID = "b7ad6b7169203331";

async function startReceiver(): Promise<TraceReceiver> {
  return await new TraceReceiver().listen();
}

describe("a walk through everything, traced", () => {
  let receiver: TraceReceiver;
  let secrets: readonly string[];
  let world: World;
  const lines: string[] = [];

  beforeAll(async () => {
    receiver = await startReceiver();
    world = await createWorld({
      stores: "redis",
      logger: createLogger({ level: "info", destination: { write: (line) => void lines.push(line) } }),
      settings: {
        OTEL_EXPORTER_OTLP_ENDPOINT: receiver.endpoint,
        OTEL_EXPORTER_OTLP_HEADERS: "authorization=Bearer%20collector-secret",
        OTEL_SERVICE_NAME: "latchkey-test",
      },
    });
    secrets = await walkThrough(world);
    // What is still here is sent when the server stops.
    await world.close();
  });
  afterAll(() => receiver.close());

  const parentOf = ({ parentSpanId, traceId }: ReceivedSpan): ReceivedSpan | undefined =>
    receiver.spans.find((span) => span.spanId === parentSpanId && span.traceId === traceId);

  test("goes to the collector, with its headers and by the name of the service", () => {
    expect(receiver.path).toBe("/v1/traces");
    expect(receiver.headers?.authorization).toBe("Bearer collector-secret");
    expect(receiver.resource).toMatchObject({ "service.name": "latchkey-test" });
  });

  test.each([
    "GET /authorize",
    "GET /authorize/:uid",
    "POST /interaction/:uid/sign-in",
    "POST /token",
    "GET /.well-known/openid-configuration",
    "sign-in password",
    "grant authorization_code",
    "grant refresh_token",
    "grant client_credentials",
    "redis hgetall",
    "redis evalsha",
    "postgres select",
    "postgres commit",
  ])("has a span for %s", (name) => {
    expect(receiver.named(name).length).toBeGreaterThan(0);
  });

  test("names no request but by a method and a pattern of ours", () => {
    const requests = receiver.spans.filter(({ attributes }) => "http.request.method" in attributes);
    for (const { name } of requests) expect(name).toMatch(/^(GET|POST|HEAD|OPTIONS)( \/[a-z./:-]*)?$/);
  });

  test("puts each step, and each call to a store, below the request that it is part of", () => {
    for (const span of receiver.named("sign-in password")) {
      expect(parentOf(span)?.name).toBe("POST /interaction/:uid/sign-in");
    }
    for (const span of receiver.spans.filter(({ name }) => name.startsWith("grant "))) {
      expect(parentOf(span)?.name).toBe("POST /token");
    }
    expect(receiver.named("redis evalsha").map((span) => parentOf(span)?.name)).toContain("grant refresh_token");
    for (const span of receiver.spans.filter(({ name }) => /^(redis|postgres) /.test(name))) {
      expect(parentOf(span), span.name).toBeDefined();
    }
  });

  test("says how a refresh ended, and why a request was refused", () => {
    const outcomes = receiver.named("POST /token").map(({ attributes }) => attributes["latchkey.refresh.outcome"]);
    expect(outcomes).toContain("rotated");
    const refused = receiver.named("POST /token").filter(({ attributes }) => attributes["error.type"] !== undefined);
    expect(refused.map(({ attributes }) => attributes["error.type"])).toContain("invalid_grant");
    for (const { attributes } of refused) expect(attributes["latchkey.outcome"]).toBe("refused");
  });

  test("has no secret, token, code, address or name in it, and no attribute that nobody meant", () => {
    expect(secrets.length).toBeGreaterThan(30);
    for (const secret of secrets) {
      for (const spelling of [secret, encodeURIComponent(secret), Buffer.from(secret).toString("base64")]) {
        expect(receiver.text.includes(spelling), spelling.slice(0, 12)).toBe(false);
      }
    }
    expect(receiver.text).not.toContain("127.0.0.1");
    const names = new Set(receiver.spans.flatMap(({ attributes }) => Object.keys(attributes)));
    expect([...names].toSorted()).toEqual([
      "db.operation.name",
      "db.system.name",
      "error.type",
      "http.request.method",
      "http.response.status_code",
      "http.route",
      "latchkey.outcome",
      "latchkey.refresh.outcome",
      "latchkey.request_id",
    ]);
  });

  test("leads from a line of the log to its trace, and back", () => {
    const logged = lines
      .map((line) => JSON.parse(line) as Record<string, unknown>)
      .filter(({ msg, route }) => msg === "request" && route === "/token");
    expect(logged.length).toBeGreaterThan(3);
    for (const { traceId, requestId } of logged) {
      const span = receiver.named("POST /token").find((candidate) => candidate.traceId === traceId);
      expect(span?.attributes["latchkey.request_id"]).toBe(requestId);
    }
  });
});

describe("the trace that a request comes with", () => {
  let receiver: TraceReceiver;
  beforeAll(async () => {
    receiver = await startReceiver();
  });
  afterAll(() => receiver.close());

  /** Asks once, with this header, and stops the server; returns the request's spans. */
  async function ask(traceparent: string, settings: Readonly<Record<string, string>> = {}) {
    receiver.spans.length = 0;
    const latchkey = await startLatchkey({
      stores: "postgres",
      settings: { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.endpoint, ...settings },
    });
    await askNode(`${latchkey.issuer}/jwks`, { headers: { traceparent } });
    await latchkey.close();
    return receiver.named("GET /jwks");
  }

  test("goes on with it [W3C Trace Context 3.2]", async () => {
    const [span] = await ask(`00-${TRACE_ID}-${PARENT_ID}-01`);
    expect(span).toMatchObject({ traceId: TRACE_ID, parentSpanId: PARENT_ID });
  });

  test("is not recorded when its sender says so, nor beyond our own share of requests", async () => {
    expect(await ask(`00-${TRACE_ID}-${PARENT_ID}-00`)).toEqual([]);
    expect(await ask(`00-${TRACE_ID}-${PARENT_ID}-01`, { OTEL_TRACES_SAMPLER_ARG: "0" })).toEqual([]);
  });

  test.each([
    `00-${"0".repeat(32)}-${PARENT_ID}-01`,
    `00-${TRACE_ID}-${"0".repeat(16)}-01`,
    `ff-${TRACE_ID}-${PARENT_ID}-01`,
    `00-${TRACE_ID.toUpperCase()}-${PARENT_ID}-01`,
    `00-${TRACE_ID}-${PARENT_ID}-01, 00-${TRACE_ID}-${PARENT_ID}-01`,
    "nonsense",
  ])("is left alone when it is malformed: %s", async (traceparent) => {
    const [span] = await ask(traceparent);
    expect(span?.traceId).toMatch(/^[0-9a-f]{32}$/);
    expect(span?.traceId).not.toBe(TRACE_ID);
  });
});

test("an app that is told of a sign-out gets the trace of the telling, and nothing when nothing is traced", async () => {
  const heard: IncomingHttpHeaders[] = [];
  const app = createServer((request, response) => {
    heard.push(request.headers);
    response.end();
  });
  app.listen(0, "127.0.0.1");
  await once(app, "listening");
  const receiver = await startReceiver();
  onTestFinished(async () => {
    app.close();
    await receiver.close();
  });
  const address = app.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;

  async function signOutAtApp(settings: Readonly<Record<string, string>>): Promise<string | undefined> {
    heard.length = 0;
    const world = await createWorld({
      stores: "redis",
      settings: { OUTBOUND_ALLOWED_NETWORKS: "127.0.0.1", ...settings },
    });
    const redirectUri = "https://notes.example.com/told";
    const uri = `http://127.0.0.1:${port}/told`;
    const client = {
      id: "told",
      name: "Told",
      isFirstParty: true,
      redirectUris: [redirectUri],
      backchannelLogoutUri: uri,
    };
    await world.latchkey.clients.addClient(client);
    await world.appOf({ clientId: "told", redirectUri }).signIn(world.openBrowser(), alice);
    await world.latchkey.sessions.endAll(await world.accountIdOf(alice.email), "ended_by_operator");
    await expect.poll(() => heard.length, EVENTUALLY).toBe(1);
    await world.close();
    return heard[0]?.["traceparent"] as string | undefined;
  }

  const traceparent = await signOutAtApp({ OTEL_EXPORTER_OTLP_ENDPOINT: receiver.endpoint });
  const [span] = receiver.named("back-channel logout");
  expect(traceparent).toBe(`00-${span?.traceId}-${span?.spanId}-01`);
  expect(await signOutAtApp({})).toBeUndefined();
});

test("a collector that is away costs nobody anything but the spans, and does not hold up the stop", async () => {
  const world = await createWorld({
    stores: "redis",
    settings: { OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${await freePort()}` },
  });
  expect((await signInAs(world.openBrowser(), alice, world.latchkey.issuer)).status).toBe(200);
  const begunAtMs = performance.now();
  await world.close();
  expect(performance.now() - begunAtMs).toBeLessThan(10_000);
});
