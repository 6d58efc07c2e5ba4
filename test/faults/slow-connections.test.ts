/**
 * Connections that take their time, and bodies that are too large, with the server as a process of its own.
 *
 * | what | has to be | figure |
 * |---|---|---|
 * | 1,000 connections: headers a byte at a time, bodies a byte at a time, answers that nobody reads | others are served | their p99 under 500 ms |
 * | headers that do not end | cut after 10 s | within 12 s |
 * | a body that does not end; answers that are not taken | cut after 30 s | full counts |
 * | a body of 1 MB, with its length or in pieces | 413, and the connection closes | everywhere |
 */
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { askNode } from "../support/raw-http.ts";
import { createWorld, type World } from "../support/world.ts";
import { FAULT_TIMEOUT_MS, printFigure, times } from "./counts.ts";
import { percentileMs, startLoad, statusesOf } from "./load.ts";
import { type FaultyNode, startFaultyNode } from "./nodes.ts";
import { askForTokens, openFamilies } from "./refreshing-app.ts";

const SLOW = times({ short: 300, full: 1_000 });
const LASTS_MS = times({ short: 3_000, full: 40_000 });
const OTHERS_P99_MS_MAX = times({ short: 3_000, full: 500 });
const DRIP_EVERY_MS = 500;
const HEADERS_MS_MAX = 10_000;
const BODY_MS_MAX = 30_000;
const STILL_MS_MAX = 30_000;
/** What Node takes beyond it to notice, on a busy machine. */
const LATE_MS = 4_000;
/** Asked at once over one connection, whose answers nobody reads. */
const PIPELINED = 5;
/** More than the buffers between here and there take. */
const PIPELINED_MANY = 5_000;

let world: World;
let node: FaultyNode;
beforeAll(async () => {
  world = await createWorld({ stores: "redis" });
  node = await startFaultyNode(world.latchkey.settings);
});
afterAll(async () => {
  await node.stop();
  await world.close();
});

const hostOf = (): string => new URL(world.latchkey.issuer).host;
const get = (path: string): string => `GET ${path} HTTP/1.1\r\nHost: ${hostOf()}\r\n\r\n`;
const postHead = (): string =>
  `POST /token HTTP/1.1\r\nHost: ${hostOf()}\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 60000\r\n\r\n`;

/** What each kind of slow connection sends at first, and then every half second. */
const KINDS = {
  headers: { first: () => `GET / HTTP/1.1\r\nHost: ${hostOf()}\r\n`, drip: "x" },
  bodies: { first: () => `${postHead()}grant_type=`, drip: "x" },
  readers: { first: () => get("/jwks").repeat(PIPELINED), drip: "" },
} as const;

function openSlow(kind: keyof typeof KINDS): Socket {
  const socket = connect(Number(new URL(node.origin).port), "127.0.0.1");
  socket.on("error", () => undefined);
  socket.write(KINDS[kind].first());
  const { drip } = KINDS[kind];
  if (kind === "readers") socket.pause();
  else socket.resume();
  const dripping = setInterval(() => drip !== "" && socket.writable && socket.write(drip), DRIP_EVERY_MS);
  socket.once("close", () => clearInterval(dripping));
  return socket;
}

test(`${SLOW} slow connections leave others their pace`, { timeout: FAULT_TIMEOUT_MS }, async () => {
  const endpoint = { url: `${node.origin}/token`, host: hostOf() };
  const apps = (await openFamilies(world, 4)).map((token) => ({ token }));
  const kinds = Object.keys(KINDS) as (keyof typeof KINDS)[];
  const slow = Array.from({ length: SLOW }, (_, index) => openSlow(kinds[index % kinds.length] ?? "headers"));
  // A connection that was cut is made anew, as somebody does who means it.
  const keeping = setInterval(() => {
    for (const [index, socket] of slow.entries()) {
      if (socket.destroyed) slow[index] = openSlow(kinds[index % kinds.length] ?? "headers");
    }
  }, 1_000);
  try {
    await Promise.all(slow.filter(({ connecting }) => connecting).map((socket) => once(socket, "connect")));
    const load = startLoad({
      refresh: apps.map((app) => async () => {
        const form = { grant_type: "refresh_token", client_id: "notesWeb", refresh_token: app.token };
        const { status, body } = await askForTokens(endpoint, form);
        app.token = body.refresh_token ?? app.token;
        return { status, headers: new Headers() };
      }),
      pages: [() => askNode(`${node.origin}/`, { headers: { host: hostOf() } })],
    });
    await new Promise((resolve) => setTimeout(resolve, LASTS_MS));
    await load.stop();
    expect(statusesOf(load.answers)).toEqual({ 200: load.answers.length });
    expect(load.answers.length).toBeGreaterThan(20);
    expect(percentileMs(load.answers)).toBeLessThan(OTHERS_P99_MS_MAX);
    printFigure(
      `${SLOW} slow connections for ${LASTS_MS} ms: ${load.answers.length} others, all 200, ` +
        `p50 ${percentileMs(load.answers, 0.5)} ms, p99 ${percentileMs(load.answers)} ms`,
    );
  } finally {
    clearInterval(keeping);
    for (const socket of slow) socket.destroy();
  }
});

const UNENDING = times<readonly (readonly ["headers" | "bodies", number])[]>({
  short: [["headers", HEADERS_MS_MAX]],
  full: [
    ["headers", HEADERS_MS_MAX],
    ["bodies", BODY_MS_MAX],
  ],
});

test.each(UNENDING)("slow %s are cut after %i ms", { timeout: FAULT_TIMEOUT_MS }, async (kind, limitMs) => {
  const startedAtMs = performance.now();
  const socket = openSlow(kind);
  await once(socket, "close");
  const tookMs = performance.now() - startedAtMs;
  expect(tookMs).toBeLessThan(limitMs + LATE_MS);
  printFigure(`slow ${kind}: cut after ${Math.round(tookMs)} ms`);
});

/** Takes half a minute, and is for the full counts. */
const STANDSTILLS = times<readonly number[]>({ short: [], full: [STILL_MS_MAX] });

test.each(STANDSTILLS)("who reads nothing for %i ms is cut off", { timeout: FAULT_TIMEOUT_MS }, async (limitMs) => {
  const socket = connect(Number(new URL(node.origin).port), "127.0.0.1");
  socket.on("error", () => undefined);
  const closed = new Promise((resolve) => socket.once("close", resolve));
  socket.pause();
  socket.write(get("/jwks").repeat(PIPELINED_MANY));
  await new Promise((resolve) => setTimeout(resolve, limitMs + LATE_MS));
  // What had left the server is still on its way; the rest never comes.
  let answers = 0;
  socket.setEncoding("latin1");
  socket.on("data", (chunk: string) => (answers += chunk.split("HTTP/1.1 200").length - 1));
  socket.resume();
  await closed;
  expect(answers).toBeLessThan(PIPELINED_MANY);
  printFigure(`who reads nothing: cut off after ${limitMs} ms, ${answers} of ${PIPELINED_MANY} answers had left`);
});

describe.each([
  "/token",
  "/par",
  "/introspect",
  "/revoke",
  "/end-session/confirm",
  "/account/sign-out",
  "/interaction/x/sign-in",
])("1 MB for %s", (path) => {
  test.each(["with its length", "in pieces"])("%s is 413, and the connection closes", async (how) => {
    const headers = {
      host: hostOf(),
      "content-type": "application/x-www-form-urlencoded",
      ...(how === "in pieces" ? { "transfer-encoding": "chunked" } : {}),
    };
    const body = `a=${"x".repeat(1024 * 1024)}`;
    const answer = await askNode(node.origin + path, { method: "POST", headers, body });
    expect(answer.status).toBe(413);
    expect(answer.headers.get("connection")).toBe("close");
  });
});
