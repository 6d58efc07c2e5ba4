import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { startWaveCounter } from "./wave-counter.ts";

/** A store that answers each line with as many bytes. */
async function startEcho(): Promise<string> {
  const server = createServer((socket) => socket.pipe(socket)).listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void server.close());
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("an echo server has no port");
  return `redis://127.0.0.1:${address.port}/7`;
}

async function connectThrough(url: string): Promise<Socket> {
  const { hostname, port } = new URL(url);
  const socket = connect({ host: hostname, port: Number(port), noDelay: true });
  await once(socket, "connect");
  return socket;
}

test("each wait for an answer is a round trip, however much is sent together", async () => {
  const counter = await startWaveCounter(await startEcho());
  onTestFinished(() => counter.close());
  const socket = await connectThrough(counter.url);
  for (const text of ["one", "two and three", "four"]) {
    socket.write(text);
    await once(socket, "data");
  }
  expect(counter.takeCount()).toBe(3);
  expect(counter.takeCount()).toBe(0);
});

test("the proxy's address keeps the store's path", async () => {
  const counter = await startWaveCounter(await startEcho());
  onTestFinished(() => counter.close());
  expect(new URL(counter.url).pathname).toBe("/7");
});
