import { once } from "node:events";
import { connect } from "node:net";
import { expect, test } from "vitest";
import { startLatchkey } from "../../support/latchkey.ts";

test("a server that stops answers what is under way, and takes nothing new", async () => {
  const latchkey = await startLatchkey({ stores: "redis" });
  const port = Number(new URL(latchkey.issuer).port);
  const body = "grant_type=client_credentials";
  const head = [
    "POST /token HTTP/1.1",
    `Host: localhost:${port}`,
    "Content-Type: application/x-www-form-urlencoded",
    `Content-Length: ${body.length}`,
  ];
  const underWay = connect(port, "127.0.0.1");
  underWay.setEncoding("utf8");
  let answer = "";
  underWay.on("data", (chunk: string) => (answer += chunk));
  await once(underWay, "connect");
  // The server has the request, and waits for the rest of its body, when it answers another one on that connection's
  // heels.
  underWay.write(`${head.join("\r\n")}\r\n\r\n${body.slice(0, 5)}`);
  expect((await fetch(`${latchkey.issuer}/health/live`, { headers: { connection: "close" } })).status).toBe(200);

  const begunAtMs = performance.now();
  const closed = latchkey.close();
  await expect(fetch(`${latchkey.issuer}/health/live`)).rejects.toThrow("fetch failed");
  underWay.write(body.slice(5));
  await once(underWay, "close");
  expect(answer).toMatch(/^HTTP\/1\.1 400 /);
  expect(answer).toContain('"error":"invalid_request"');
  await expect(closed).resolves.toBeUndefined();
  // A client that keeps its connection does not hold the server up until the cut after 25 seconds.
  expect(performance.now() - begunAtMs).toBeLessThan(10_000);
});

test("a connection on which nothing was asked yet does not hold up a server that stops", async () => {
  const latchkey = await startLatchkey({ stores: "redis" });
  const unused = connect(Number(new URL(latchkey.issuer).port), "127.0.0.1");
  await once(unused, "connect");
  // Node takes a connection into its lists when it has read from it, or when it has answered another one.
  expect((await fetch(`${latchkey.issuer}/health/live`, { headers: { connection: "close" } })).status).toBe(200);
  const begunAtMs = performance.now();
  const isClosed = once(unused, "close");
  await latchkey.close();
  await isClosed;
  expect(performance.now() - begunAtMs).toBeLessThan(10_000);
});
