import { createServer, type IncomingMessage, type RequestListener, type Server } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { expect, onTestFinished, test, vi } from "vitest";
import { createAddressPolicy, createOutbound, type OutboundPost, type ResolveName } from "./index.ts";
import { createTestCertificate } from "./test-certificate.ts";

const LOOPBACK = [{ address: "127.0.0.1", family: 4 }] as const;

interface Receiver {
  readonly port: number;
  connections: number;
  readonly requests: IncomingMessage[];
  readonly bodies: string[];
}

const answerOk: RequestListener = (_request, response) => void response.end();

/** A real server on loopback that counts connections, whether or not they get as far as a request. */
async function startReceiver(answer: RequestListener = answerOk, server: Server = createServer()): Promise<Receiver> {
  const receiver = { port: 0, connections: 0, requests: [] as IncomingMessage[], bodies: [] as string[] };
  server.on("connection", () => void (receiver.connections += 1));
  server.on("request", (request: IncomingMessage, response) => {
    receiver.requests.push(request);
    let body = "";
    request.on("data", (chunk) => void (body += String(chunk)));
    request.on("end", () => {
      receiver.bodies.push(body);
      answer(request, response);
    });
  });
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("a TCP server has no port");
  return Object.assign(receiver, { port: address.port });
}

const resolveTo = (...addresses: readonly string[]): ResolveName =>
  vi.fn(async () => addresses.map((address) => ({ address, family: address.includes(":") ? 6 : 4 }) as const));

const post = (uri: string, changes: Partial<OutboundPost> = {}): OutboundPost => ({
  uri,
  form: { logout_token: "a.b+c&d" },
  timeoutMs: 2_000,
  ...changes,
});

const allowLoopback = createOutbound({ policy: createAddressPolicy(["127.0.0.1"]) });

test("a form arrives as it was given, at an address that the operator allowed", async () => {
  const receiver = await startReceiver();
  const result = await allowLoopback.postForm(post(`http://127.0.0.1:${receiver.port}/out?app=1`));
  expect(result).toEqual({ type: "answered", status: 200 });
  expect(receiver.requests[0]).toMatchObject({ method: "POST", url: "/out?app=1" });
  expect(receiver.requests[0]?.headers["content-type"]).toBe("application/x-www-form-urlencoded");
  expect(new URLSearchParams(receiver.bodies[0]).get("logout_token")).toBe("a.b+c&d");
});

test("an address that is not allowed sees no connection [ASVS 15.3.2]", async () => {
  const receiver = await startReceiver();
  const outbound = createOutbound({ policy: createAddressPolicy([]) });
  expect(await outbound.postForm(post(`https://127.0.0.1:${receiver.port}/`))).toEqual({
    type: "refused",
    reason: "uri",
  });
  expect(await outbound.postForm(post(`http://127.0.0.1:${receiver.port}/`))).toMatchObject({ type: "refused" });
  expect(receiver.connections).toBe(0);
});

test("a public name that stands for an address inside sees no connection, also beside a public one", async () => {
  const receiver = await startReceiver();
  for (const resolve of [resolveTo("127.0.0.1"), resolveTo("8.8.8.8", "127.0.0.1"), resolveTo("::ffff:127.0.0.1")]) {
    const outbound = createOutbound({ policy: createAddressPolicy([]), resolve });
    const result = await outbound.postForm(post(`https://shop.example.com:${receiver.port}/`));
    expect(result).toEqual({ type: "refused", reason: "address" });
  }
  expect(receiver.connections).toBe(0);
});

test("a name that leads elsewhere the second time is asked once, and connected to where it was checked", async () => {
  const [checked, other] = [await startReceiver(), await startReceiver()];
  const answers = [LOOPBACK, [{ address: "127.0.0.2", family: 4 }] as const];
  const resolve = vi.fn<ResolveName>(async () => answers.shift() ?? []);
  const outbound = createOutbound({ policy: createAddressPolicy(["rebind.example.com"]), resolve });
  const result = await outbound.postForm(post(`http://rebind.example.com:${checked.port}/`));
  expect(result).toEqual({ type: "answered", status: 200 });
  expect(resolve).toHaveBeenCalledTimes(1);
  expect([checked.requests[0]?.headers.host, other.connections]).toEqual([`rebind.example.com:${checked.port}`, 0]);
});

test("a name that the operator named may be http, and is called wherever it leads", async () => {
  const receiver = await startReceiver();
  const outbound = createOutbound({ policy: createAddressPolicy(["localhost"]) });
  const result = await outbound.postForm(post(`http://localhost:${receiver.port}/`));
  expect(result).toEqual({ type: "answered", status: 200 });
});

test("only what the operator named is looked up the system's way, which holds a thread", async () => {
  const resolve = vi.fn<ResolveName>(async () => []);
  const outbound = createOutbound({ policy: createAddressPolicy(["rp.internal"]), resolve });
  await outbound.postForm(post("https://rp.internal/"));
  await outbound.postForm(post("https://shop.example.com/"));
  expect(resolve.mock.calls.map(([name, { isTrusted }]) => [name, isTrusted])).toEqual([
    ["rp.internal", true],
    ["shop.example.com", false],
  ]);
});

test("a redirect is not followed [ASVS 15.3.2]", async () => {
  const inner = await startReceiver();
  const receiver = await startReceiver((_request, response) => {
    response.writeHead(307, { location: `http://127.0.0.1:${inner.port}/` }).end();
  });
  const result = await allowLoopback.postForm(post(`http://127.0.0.1:${receiver.port}/`));
  expect(result).toEqual({ type: "answered", status: 307 });
  expect(inner.connections).toBe(0);
});

test("a body without an end costs nothing: the answer is its status", async () => {
  const receiver = await startReceiver((_request, response) => {
    response.writeHead(200);
    const pour = (): void => {
      while (!response.destroyed && response.write(Buffer.alloc(64 * 1024)));
    };
    response.on("drain", pour).on("error", () => undefined);
    pour();
  });
  const result = await allowLoopback.postForm(post(`http://127.0.0.1:${receiver.port}/`));
  expect(result).toEqual({ type: "answered", status: 200 });
});

test("headers without an end are a failure", async () => {
  const receiver = await startReceiver((_request, response) => {
    response.writeHead(200, { "x-long": "x".repeat(9 * 1024) }).end();
  });
  const result = await allowLoopback.postForm(post(`http://127.0.0.1:${receiver.port}/`));
  expect(result).toEqual({ type: "failed", reason: "connection" });
});

test("who accepts and says nothing is left at the deadline", async () => {
  const receiver = await startReceiver(() => undefined);
  const result = await allowLoopback.postForm(post(`http://127.0.0.1:${receiver.port}/`, { timeoutMs: 50 }));
  expect(result).toEqual({ type: "failed", reason: "timeout" });
});

test("a name whose servers say nothing is left at the deadline, and a late answer connects nowhere", async () => {
  const receiver = await startReceiver();
  let answer = (_found: typeof LOOPBACK): void => undefined;
  const resolve: ResolveName = () => new Promise((resolveWith) => (answer = resolveWith));
  const outbound = createOutbound({ policy: createAddressPolicy(["slow.example.com"]), resolve });
  const uri = `http://slow.example.com:${receiver.port}/`;
  expect(await outbound.postForm(post(uri, { timeoutMs: 50 }))).toEqual({ type: "failed", reason: "timeout" });
  answer(LOOPBACK);
  expect(await allowLoopback.postForm(post(`http://127.0.0.1:${receiver.port}/`))).toMatchObject({ type: "answered" });
  expect(receiver.connections).toBe(1);
});

test("a name that nobody knows and a port that nobody listens on are failures", async () => {
  const resolve: ResolveName = () => Promise.reject(new Error("ENOTFOUND"));
  const outbound = createOutbound({ policy: createAddressPolicy([]), resolve });
  expect(await outbound.postForm(post("https://shop.example.com/"))).toEqual({ type: "failed", reason: "name" });
  const receiver = await startReceiver();
  const gone = `http://127.0.0.1:${receiver.port === 1 ? 2 : 1}/`;
  expect(await allowLoopback.postForm(post(gone))).toEqual({ type: "failed", reason: "connection" });
});

test("a request that is told to stop says so", async () => {
  const stop = new AbortController();
  const receiver = await startReceiver(() => stop.abort());
  const result = await allowLoopback.postForm(post(`http://127.0.0.1:${receiver.port}/`, { signal: stop.signal }));
  expect(result).toEqual({ type: "failed", reason: "stopped" });
  expect(await allowLoopback.postForm(post(`http://127.0.0.1:${receiver.port}/`, { signal: stop.signal }))).toEqual({
    type: "failed",
    reason: "stopped",
  });
});

test("nothing is told to a server whose certificate is not its name's, or that nobody vouches for [ASVS 12.3.2]", async () => {
  const { certificate, privateKey } = createTestCertificate("shop.example.com");
  const receiver = await startReceiver(answerOk, createTlsServer({ cert: certificate, key: privateKey }));
  const policy = createAddressPolicy(["shop.example.com", "other.example.com"]);
  const resolve = resolveTo("127.0.0.1");
  const knowing = createOutbound({ policy, resolve, certificateAuthorities: [certificate] });
  const failed = { type: "failed", reason: "connection" };
  expect(
    await createOutbound({ policy, resolve }).postForm(post(`https://shop.example.com:${receiver.port}/`)),
  ).toEqual(failed);
  expect(await knowing.postForm(post(`https://other.example.com:${receiver.port}/`))).toEqual(failed);
  expect(receiver.requests).toEqual([]);
  const result = await knowing.postForm(post(`https://shop.example.com:${receiver.port}/`));
  expect(result).toEqual({ type: "answered", status: 200 });
});
