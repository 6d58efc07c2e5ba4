import { Writable } from "node:stream";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createLogger } from "../../src/observability/index.ts";
import { askNode, sendBytes } from "../support/raw-http.ts";
import { createWorld, type World } from "../support/world.ts";

const BODY_BYTES_MAX = 64 * 1024;
const FORM = { "content-type": "application/x-www-form-urlencoded" };
const ENDPOINTS = ["/token", "/par", "/introspect", "/revoke", "/end-session/confirm", "/account/sign-out"] as const;

let world: World;
const lines: string[] = [];
beforeAll(async () => {
  const destination = new Writable({
    write(chunk: Buffer, _encoding, done) {
      lines.push(chunk.toString("utf8"));
      done();
    },
  });
  world = await createWorld({ stores: "redis", logger: createLogger({ level: "info", destination }) });
});
afterAll(async () => {
  await world.close();
});

const url = (path: string): string => world.latchkey.issuer + path;
const portOf = (): number => Number(world.latchkey.settings.PORT);

/** Refused, in words that hold nothing of how we are made. */
function expectRefused(answer: { readonly status: number; readonly body: string }): void {
  expect(answer.status).toBeGreaterThanOrEqual(400);
  expect(answer.status).toBeLessThan(500);
  expect(answer.body).not.toMatch(/\bat .*\.(ts|js):|node_modules|SyntaxError|TypeError|SELECT |insert into/);
}

describe.each(ENDPOINTS)("%s", (path) => {
  test("takes 64 KiB and answers 413 to one byte more", async () => {
    const body = (size: number): string => `a=${"x".repeat(size - 2)}`;
    const over = await askNode(url(path), { method: "POST", headers: FORM, body: body(BODY_BYTES_MAX + 1) });
    expect(over.status).toBe(413);
    const at = await askNode(url(path), { method: "POST", headers: FORM, body: body(BODY_BYTES_MAX) });
    expect(at.status).not.toBe(413);
    expect(at.status).toBeLessThan(500);
  });

  test("refuses a body of unknown length that grows beyond it", async () => {
    const headers = { ...FORM, "transfer-encoding": "chunked" };
    const answer = await askNode(url(path), { method: "POST", headers, body: `a=${"x".repeat(BODY_BYTES_MAX + 1)}` });
    expect([400, 413]).toContain(answer.status);
  });

  test.each([
    ["a parameter twice", "client_id=notesWeb&client_id=notesWeb&token=x&token=y&xsrf=a&xsrf=b&csrf=a&csrf=b"],
    ["malformed percent-encoding", "client_id=%zz&token=%&grant_type=%E0%A4%A"],
    ["NUL bytes", "client_id=notes%00Web&token=%00&grant_type=refresh_token%00&refresh_token=%00"],
    ["invalid UTF-8", "client_id=%ff%fe&token=%c0%af&grant_type=%ed%a0%80"],
    ["very many parameters", Array.from({ length: 5_000 }, (_, index) => `p${index}=1`).join("&")],
    ["names of prototypes", "__proto__=1&constructor=1&toString=1&client_id[a]=b&client_id[]=c"],
    ["nothing", ""],
  ])("refuses %s", async (_title, body) => {
    const answer = await askNode(url(path), { method: "POST", headers: FORM, body });
    // Signing out without a session needs nothing, and what else was sent is not read.
    expect(answer.status).toBeLessThan(500);
    const isSignedOut = path === "/account/sign-out" && answer.status === 303;
    if (!isSignedOut) expectRefused(answer);
  });

  test("refuses another content type", async () => {
    for (const type of [
      "application/json",
      "text/xml",
      "multipart/form-data",
      "application/x-www-form-urlencoded;charset=utf-7",
    ]) {
      const answer = await askNode(url(path), { method: "POST", headers: { "content-type": type }, body: '{"a":' });
      if (path !== "/account/sign-out") expectRefused(answer);
      expect(answer.status).toBeLessThan(500);
    }
  });
});

test("a duplicated parameter of the token endpoint is invalid_request [RFC 6749 3.2]", async () => {
  const body = "grant_type=refresh_token&grant_type=refresh_token&client_id=notesWeb&refresh_token=x";
  const answer = await askNode(url("/token"), { method: "POST", headers: FORM, body });
  expect(answer.status).toBe(400);
  expect(JSON.parse(answer.body)).toMatchObject({ error: "invalid_request" });
});

test.each([
  ["malformed percent-encoding", "/authorize?client_id=%zz&redirect_uri=%"],
  ["NUL bytes", "/authorize?client_id=%00&state=%00"],
  ["invalid UTF-8", "/authorize?client_id=%ff%c0%af"],
  ["malformed percent-encoding in the path", "/interaction/%zz/sign-in"],
  ["a NUL byte in the path", "/interaction/%00?r=%00"],
  ["a path out of the folder", "/assets/..%2f..%2fpackage.json"],
  ["a path out of the folder, plain", "/assets/../../package.json"],
  ["very many parameters", `/authorize?${"a=1&".repeat(2_000)}`],
  ["a parameter with brackets", "/authorize?client_id[]=notesWeb&client_id[__proto__]=x"],
  ["a prototype's name", "/assets/__proto__"],
  ["a prototype's name as client", "/authorize?client_id=__proto__&redirect_uri=constructor"],
])("a request with %s is refused", async (_title, path) => {
  expectRefused(await askNode(url(path), { headers: { accept: "text/html" } }));
});

test("a login_hint, a locale or a scope of 8 KB is no failure of ours", async () => {
  for (const name of ["login_hint", "ui_locales", "scope", "state", "nonce", "acr_values", "prompt"]) {
    const request = await world.apps.notesWeb.begin({ [name]: "x ".repeat(4_000) });
    const answer = await askNode(request.url.href, { headers: { accept: "text/html" } });
    expect(answer.status, name).toBeLessThan(500);
  }
});

test("an address or a header of 100 KB is refused by the connection itself", async () => {
  const host = new URL(world.latchkey.issuer).host;
  const long = "x".repeat(100_000);
  const requests = [
    `GET /authorize?state=${long} HTTP/1.1\r\nHost: ${host}\r\n\r\n`,
    `GET / HTTP/1.1\r\nHost: ${host}\r\nCookie: ${long}\r\n\r\n`,
    `GET / HTTP/1.1\r\nHost: ${host}\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    `GET / HTTP/1.1\r\nHost: ${host}\r\nHost: mallory.example.com\r\n\r\n`,
    "\u0000\u0001\u0002\r\n\r\n",
  ];
  for (const request of requests) {
    const { status } = await sendBytes(portOf(), request).catch(() => ({ status: 400 }));
    expect([0, 400, 413, 414, 421, 431]).toContain(status);
  }
  expect((await fetch(url("/health/live"))).status).toBe(200);
});

test.each(["TRACE", "PUT", "DELETE", "PATCH", "PROPFIND"])("%s does nothing anywhere [ASVS 13.4.5]", async (method) => {
  for (const path of [
    "/",
    "/token",
    "/authorize",
    "/account",
    "/jwks",
    "/interaction/x/sign-in",
    "/assets/latchkey.css",
  ]) {
    const answer = await askNode(url(path), { method, headers: { "x-probe": "echoed-back" } });
    expect([400, 404, 405, 501]).toContain(answer.status);
    expect(answer.body).not.toContain("echoed-back");
  }
});

test("what was refused is in the log with a reason, and none of it was an error of ours [ASVS 16.3.4]", async () => {
  const before = lines.length;
  await askNode(url("/token"), { method: "POST", headers: FORM, body: "grant_type=nonsense&client_id=notesWeb" });
  await askNode(url("/authorize?client_id=%00"));
  await askNode(url("/account/sign-out"), { method: "POST", headers: FORM, body: "a=1&a=2" });
  await askNode(url("/par"), { method: "POST", headers: FORM, body: "x".repeat(BODY_BYTES_MAX + 1) });
  const entries = lines.slice(before).map((line) => JSON.parse(line) as Record<string, unknown>);
  const refusals = entries.filter(({ msg }) => msg === "request refused");
  expect(refusals.length).toBeGreaterThanOrEqual(4);
  for (const { reason, requestId } of refusals) {
    expect(reason).toEqual(expect.stringMatching(/^[A-Za-z_]{3,}$/));
    expect(requestId).toEqual(expect.stringMatching(/^[\w-]{16}$/));
  }
  expect(lines.filter((line) => line.includes('"level":"error"'))).toEqual([]);
});
