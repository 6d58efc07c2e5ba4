import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Services } from "./command.ts";
import { askServer } from "./control-client.ts";
import { shortestPath } from "./control-path.ts";
import { type ControlServer, startControlServer } from "./control-server.ts";

const services = {
  migrations: { listPending: async () => [], apply: async () => ["0001-first-tables"] },
  // Only `migrate` is run here: what the other commands do is shown where they are executed.
} as unknown as Services;

let directory: string;
let socketPath: string;
let lines: unknown[];
let servers: ControlServer[];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "latchkey-"));
  socketPath = join(directory, "control.sock");
  lines = [];
  servers = [];
});
afterEach(async () => {
  for (const server of servers) await server.close();
  rmSync(directory, { recursive: true });
});

async function start(): Promise<void> {
  const keep = (fields: object): void => void lines.push(fields);
  servers.push(await startControlServer({ socketPath, services, logger: { info: keep, error: keep } }));
}

function post(body: string): Promise<{ readonly status: number | undefined; readonly body: string }> {
  const { promise, resolve, reject } = Promise.withResolvers<{ status: number | undefined; body: string }>();
  const outgoing = request({ socketPath, method: "POST" }, (response) => {
    let text = "";
    response.on("data", (chunk: Buffer) => (text += chunk.toString()));
    response.on("end", () => resolve({ status: response.statusCode, body: text }));
  });
  outgoing.on("error", reject);
  outgoing.end(body);
  return promise;
}

test("a running server carries out a command and logs its name, not what it was given", async () => {
  await start();
  expect(await askServer(socketPath, { command: "migrate", input: {} })).toEqual({
    outcome: "done",
    data: { applied: ["0001-first-tables"] },
    text: "Applied:\n  0001-first-tables",
  });
  await askServer(socketPath, { command: "user add", input: { password: "hunter2" } });
  expect(lines).toEqual([
    { command: "migrate", outcome: "done" },
    { command: "user add", outcome: "failed" },
  ]);
});

test("the socket is open to its owner only", async () => {
  await start();
  expect(statSync(socketPath).mode & 0o777).toBe(0o600);
});

test("without a server there is no answer", async () => {
  expect(await askServer(socketPath, { command: "migrate", input: {} })).toBeUndefined();
});

test("what a dead server left behind is no answer, and does not stop the next server", async () => {
  writeFileSync(socketPath, "");
  expect(await askServer(socketPath, { command: "migrate", input: {} })).toBeUndefined();
  await start();
  expect(await askServer(socketPath, { command: "migrate", input: {} })).toMatchObject({ outcome: "done" });
});

test("closing removes the socket", async () => {
  await start();
  for (const server of servers.splice(0)) await server.close();
  expect(await askServer(socketPath, { command: "migrate", input: {} })).toBeUndefined();
});

test("closing does not wait for a connection that says nothing", async () => {
  await start();
  const silent = connect(socketPath);
  await new Promise((resolve) => silent.once("connect", resolve));
  const closed = new Promise((resolve) => silent.once("close", resolve));
  for (const server of servers.splice(0)) await server.close();
  await expect(closed).resolves.toBe(false);
});

test("closing lets a command that is under way finish", async () => {
  const applying = Promise.withResolvers<readonly string[]>();
  const started = Promise.withResolvers<void>();
  const slow: Services = {
    ...services,
    migrations: {
      ...services.migrations,
      listPending: async () => [],
      apply: () => {
        started.resolve();
        return applying.promise;
      },
    },
  };
  const quiet = { info: () => undefined, error: () => undefined };
  const server = await startControlServer({ socketPath, services: slow, logger: quiet });
  const answer = askServer(socketPath, { command: "migrate", input: {} });
  await started.promise;
  const closed = server.close();
  applying.resolve([]);
  expect(await answer).toMatchObject({ outcome: "done" });
  await closed;
});

test("a mebibyte is read and a byte more is not", async () => {
  await start();
  const padded = (byteCount: number): string => '{"command":"migrate","input":{}}'.padEnd(byteCount);
  expect((await post(padded(1024 * 1024))).status).toBe(200);
  expect((await post(padded(1024 * 1024 + 1))).status).toBe(413);
});

test.each(["", "[]", "null", "{", '{"command":1,"input":{}}', '{"command":"migrate","input":{},"x":1}'])(
  "%j is refused",
  async (body) => {
    await start();
    expect(await post(body)).toMatchObject({ status: 400, body: expect.stringContaining("INPUT_INVALID") });
  },
);

test("the shorter spelling of a path is taken, for the room in a socket's address", () => {
  expect(shortestPath(join(process.cwd(), "data/control.sock"))).toBe(relative("", "data/control.sock"));
  expect(shortestPath("/a/control.sock")).toBe("/a/control.sock");
});
