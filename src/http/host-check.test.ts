import { expect, test } from "vitest";
import { createHostCheck } from "./host-check.ts";
import { askApp, type TestRequest } from "./test-server.ts";

const ask = (sent: TestRequest, issuer = "https://id.example.com") =>
  askApp(
    [
      createHostCheck(issuer),
      async (ctx) => {
        ctx.body = `forwarded: ${ctx.get("x-forwarded-host")}`;
      },
    ],
    sent,
  );

test.each(["id.example.com", "ID.example.com", "id.example.com:443"])("a request for %s is answered", async (host) => {
  expect(await ask({ headers: { host } })).toMatchObject({ status: 200 });
});

test.each([
  "evil.example.com",
  "id.example.com.evil.com",
  "id.example.com:444",
  "id.example.com@evil.com",
  "localhost",
  "",
])("a request for the host %j gets 421 and reaches nothing [RFC 9110 7.4]", async (host) => {
  const answer = await ask({ headers: { host } });
  expect(answer.status).toBe(421);
  expect(answer.headers["content-type"]).toMatch(/^text\/plain/);
});

test("a whole URL in the request line must be ours as well [RFC 9112 3.2.2]", async () => {
  const headers = { host: "id.example.com" };
  expect(await ask({ headers, path: "http://evil.example.com/" })).toMatchObject({ status: 421 });
  expect(await ask({ headers, path: "https://id.example.com/" })).toMatchObject({ status: 200 });
});

test("health probes come by address", async () => {
  expect(await ask({ headers: { host: "10.0.0.7:3000" }, path: "/health/ready" })).toMatchObject({ status: 200 });
});

test("X-Forwarded-Host is gone for whatever comes after", async () => {
  const headers = { host: "id.example.com", "x-forwarded-host": "evil.example.com" };
  expect(await ask({ headers })).toMatchObject({ status: 200, body: "forwarded: " });
});

test("an issuer with a port is that host and port alone", async () => {
  expect(await ask({ headers: { host: "localhost:3000" } }, "http://localhost:3000")).toMatchObject({ status: 200 });
  expect(await ask({ headers: { host: "localhost" } }, "http://localhost:3000")).toMatchObject({ status: 421 });
});
