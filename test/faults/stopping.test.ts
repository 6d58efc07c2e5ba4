/**
 * SIGTERM under load, at one of two nodes behind a balancer that looks at readiness. Clients keep their connections, and go
 * elsewhere when they are asked to (`Connection: close`), as proxies and HTTP libraries do.
 *
 * | moment | what has to be | figure |
 * |---|---|---|
 * | at once | not ready; requests are still taken, and every answer closes its connection | |
 * | after SHUTDOWN_DELAY_SECONDS | no new connections; what is under way is answered | 0 dropped requests |
 * | at the end | exit code 0 | within 25 s, also where a request never ends |
 */
import { Agent, request } from "node:http";
import { connect } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createWorld, type World } from "../support/world.ts";
import { FAULT_TIMEOUT_MS, printFigure, times } from "./counts.ts";
import { type Answered, percentileMs, startLoad, statusesOf } from "./load.ts";
import { type FaultyNode, startFaultyNode } from "./nodes.ts";
import { openFamilies } from "./refreshing-app.ts";

const STOPS = times({ short: 1, full: 30 });
const APPS = times({ short: 8, full: 24 });
const LOOK_EVERY_MS = 100;
const WITHIN = { timeout: 20_000, interval: 20 };
const DRAIN_MS_MAX = 27_000;
/** A request that never ends holds a node up until the cut, which is too long for `npm test`. */
const ENDLESS_REQUESTS = times({ short: 0, full: 1 });

let world: World;
let nodes: FaultyNode[];
beforeAll(async () => {
  world = await createWorld({ stores: "redis" });
  const settings = { ...world.latchkey.settings, SHUTDOWN_DELAY_SECONDS: "1" };
  nodes = await Promise.all([startFaultyNode(settings), startFaultyNode(settings)]);
});
afterAll(async () => {
  for (const node of nodes) await node.stop();
  await world.close();
});

/** Knows which nodes are ready, as of a moment ago. */
function startLooking(): { pick(turn: number): string; close(): Promise<void> } {
  let ready = nodes.map(({ origin }) => origin);
  const isOver = { now: false };
  const looking = (async () => {
    while (!isOver.now) {
      const answers = await Promise.all(
        nodes.map(({ origin }) =>
          fetch(`${origin}/health/ready`).then(
            ({ ok }) => ok,
            () => false,
          ),
        ),
      );
      ready = nodes.map(({ origin }) => origin).filter((_, index) => answers[index]);
      await delay(LOOK_EVERY_MS);
    }
  })();
  return {
    pick: (turn) => ready[turn % ready.length] ?? "",
    async close() {
      isOver.now = true;
      await looking;
    },
  };
}

/** Somebody with one connection: kept for as long as the server keeps it, and made anew at a node that is ready. */
function openClient(pickOrigin: () => string) {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  let origin = "";
  let isKept = false;
  return {
    close: () => agent.destroy(),
    ask(path: string, form: Readonly<Record<string, string>>): Promise<Answered & { readonly body: string }> {
      if (!isKept) origin = pickOrigin();
      return new Promise((resolve, reject) => {
        const host = new URL(world.latchkey.issuer).host;
        const headers = { host, "content-type": "application/x-www-form-urlencoded" };
        const outgoing = request(origin + path, { method: "POST", agent, headers });
        outgoing.once("error", reject);
        outgoing.once("response", (answer) => {
          isKept = answer.headers.connection !== "close";
          let body = "";
          answer.setEncoding("utf8");
          answer.on("data", (chunk: string) => (body += chunk));
          answer.once("error", reject);
          answer.once("end", () => resolve({ status: answer.statusCode ?? 0, headers: new Headers(), body }));
        });
        outgoing.end(new URLSearchParams(form).toString());
      });
    },
  };
}

test(
  `${STOPS} stops under the load of ${APPS} apps drop no request, and end with 0`,
  { timeout: FAULT_TIMEOUT_MS },
  async () => {
    const balancer = startLooking();
    const clients = (await openFamilies(world, APPS)).map((token, turn) => ({
      token,
      http: openClient(() => balancer.pick(turn)),
    }));
    const load = startLoad({
      refresh: clients.map((client) => async () => {
        const form = { grant_type: "refresh_token", client_id: "notesWeb", refresh_token: client.token };
        const answer = await client.http.ask("/token", form);
        if (answer.status === 200) client.token = (JSON.parse(answer.body) as { refresh_token: string }).refresh_token;
        return answer;
      }),
    });
    const tookMs: number[] = [];
    try {
      for (let round = 0; round < STOPS; round += 1) {
        const index = round % nodes.length;
        const node = nodes[index];
        if (node === undefined) throw new Error("there is no node");
        const before = load.answers.length;
        await expect.poll(() => load.answers.length, WITHIN).toBeGreaterThan(before + APPS * 3);
        const startedAtMs = performance.now();
        const exited = node.stop();
        await expect.poll(async () => (await fetch(`${node.origin}/health/ready`)).status, WITHIN).toBe(503);
        expect(await exited).toBe(0);
        tookMs.push(performance.now() - startedAtMs);
        nodes[index] = await startFaultyNode({ ...world.latchkey.settings, SHUTDOWN_DELAY_SECONDS: "1" });
      }
    } finally {
      await load.stop();
      await balancer.close();
      for (const { http } of clients) http.close();
    }
    expect(statusesOf(load.answers)).toEqual({ 200: load.answers.length });
    expect(Math.max(...tookMs)).toBeLessThan(DRAIN_MS_MAX);
    printFigure(
      `${STOPS} SIGTERMs under ${APPS} apps: ${load.answers.length} requests, 0 dropped, p99 ${percentileMs(load.answers)} ms, ` +
        `exit 0 after ${Math.round(Math.max(...tookMs))} ms at most`,
    );
  },
);

test("what is under way is answered, and a request that never ends is cut", { timeout: FAULT_TIMEOUT_MS }, async () => {
  const host = new URL(world.latchkey.issuer).host;
  const node = await startFaultyNode({ ...world.latchkey.settings, SHUTDOWN_DELAY_SECONDS: "1" });
  const head = `POST /token HTTP/1.1\r\nHost: ${host}\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 20\r\n\r\n`;
  const open = () => {
    const socket = connect(Number(new URL(node.origin).port), "127.0.0.1");
    let answer = "";
    socket.setEncoding("utf8");
    socket.on("data", (chunk: string) => (answer += chunk));
    socket.on("error", () => undefined);
    socket.write(`${head}grant_type`);
    return { socket, answer: () => answer };
  };
  const slow = open();
  const endless = Array.from({ length: ENDLESS_REQUESTS }, open);
  // The server has read them when it answers one that came after.
  expect((await fetch(`${node.origin}/health/live`)).status).toBe(200);
  const startedAtMs = performance.now();
  const exited = node.stop();
  await expect
    .poll(
      () =>
        fetch(`${node.origin}/health/live`).then(
          () => "taken",
          () => "refused",
        ),
      WITHIN,
    )
    .toBe("refused");
  slow.socket.write("=password!");
  await expect.poll(slow.answer, WITHIN).toMatch(/^HTTP\/1\.1 400 [\s\S]*connection: close/i);
  expect(await exited).toBe(0);
  const tookMs = performance.now() - startedAtMs;
  expect(tookMs).toBeLessThan(DRAIN_MS_MAX);
  for (const { socket } of [slow, ...endless]) socket.destroy();
  printFigure(
    `SIGTERM with a slow request and ${ENDLESS_REQUESTS} endless ones: exit 0 after ${Math.round(tookMs)} ms`,
  );
});
