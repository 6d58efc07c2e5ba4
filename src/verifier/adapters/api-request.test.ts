import { expect, test } from "vitest";
import { readNodeRequest } from "./api-request.ts";

const PLAIN = {};
const ENCRYPTED = { encrypted: true };

test.each([
  { what: "plain HTTP", rawHeaders: ["Host", "localhost:4000"], socket: PLAIN, origin: "http://localhost:4000" },
  { what: "TLS", rawHeaders: ["host", "api.example.com"], socket: ENCRYPTED, origin: "https://api.example.com" },
  {
    what: "HTTP/2, which names the host otherwise",
    rawHeaders: [":method", "GET", ":authority", "api.example.com"],
    socket: ENCRYPTED,
    origin: "https://api.example.com",
  },
  {
    what: "forwarded headers, which anybody can send",
    rawHeaders: ["Host", "localhost", "X-Forwarded-Host", "evil.example.com", "X-Forwarded-Proto", "https"],
    socket: PLAIN,
    origin: "http://localhost",
  },
])("the origin is what reached this process: $what", ({ rawHeaders, socket, origin }) => {
  expect(readNodeRequest({ method: "GET", url: "/", rawHeaders, socket }).origin).toBe(origin);
});

test("headers that were sent twice are both there, whatever their case", () => {
  const rawHeaders = ["Authorization", "Bearer a", "x", "authorization", "AUTHORIZATION", "Bearer b"];
  const request = readNodeRequest({ rawHeaders, socket: PLAIN });
  expect(request.headers("authorization")).toEqual(["Bearer a", "Bearer b"]);
  expect(request.headers("dpop")).toEqual([]);
});

test("the address is the one from before it was rewritten", () => {
  const request = { url: "/orders", rawHeaders: [], socket: PLAIN };
  expect(readNodeRequest(request, "/v1/orders").target).toBe("/v1/orders");
  expect(readNodeRequest(request)).toMatchObject({ target: "/orders", method: "GET" });
});
