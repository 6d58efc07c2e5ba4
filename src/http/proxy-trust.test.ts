import { IncomingMessage, ServerResponse } from "node:http";
import { Socket } from "node:net";
import Koa, { type Context } from "koa";
import { expect, test } from "vitest";
import { createProxyTrust } from "./proxy-trust.ts";

type Trust = Parameters<typeof createProxyTrust>[0];

/** What the server makes of a request that came from `peer` with these headers. */
async function see(trust: Trust, peer: string | undefined, headers: Readonly<Record<string, string>> = {}) {
  const socket = new Socket();
  Object.defineProperty(socket, "remoteAddress", { value: peer });
  const request = new IncomingMessage(socket);
  request.url = "/";
  Object.assign(request.headers, headers);
  const ctx: Context = new Koa({ proxy: true }).createContext(request, new ServerResponse(request));
  const { middleware, clientAddress } = createProxyTrust(trust);
  await middleware(ctx, async () => {});
  return { address: clientAddress(ctx), protocol: ctx.protocol, headers: ctx.req.headers };
}

const NETWORKS = ["10.0.0.0/8", "fd00::/8"];

test.each<[name: string, trust: Trust, peer: string, path: readonly [forwardedFor: string, address: string]]>([
  ["nobody is trusted", 0, "203.0.113.9", ["198.51.100.1", "203.0.113.9"]],
  ["one hop takes the last entry", 1, "10.0.0.1", ["198.51.100.1", "198.51.100.1"]],
  ["one hop ignores what the client wrote before it", 1, "10.0.0.1", ["6.6.6.6, 198.51.100.1", "198.51.100.1"]],
  ["two hops take the entry before the last", 2, "10.0.0.1", ["6.6.6.6, 198.51.100.1, 10.0.0.2", "198.51.100.1"]],
  ["fewer entries than hops take the first", 3, "10.0.0.1", ["198.51.100.1", "198.51.100.1"]],
  ["a peer outside the networks is the client", NETWORKS, "203.0.113.9", ["198.51.100.1", "203.0.113.9"]],
  ["a trusted peer passes its client on", NETWORKS, "10.0.0.1", ["198.51.100.1", "198.51.100.1"]],
  ["trusted entries are walked over", NETWORKS, "10.0.0.1", ["6.6.6.6, 198.51.100.1, 10.1.1.1", "198.51.100.1"]],
  ["an IPv6 proxy is recognized", NETWORKS, "fd00::1", ["2001:db8::0:1", "2001:db8::1"]],
  ["IPv4 inside IPv6 is IPv4", NETWORKS, "::ffff:10.0.0.1", ["::ffff:198.51.100.1", "198.51.100.1"]],
  ["a port is dropped", 1, "10.0.0.1", ["198.51.100.1:4711", "198.51.100.1"]],
  ["an IPv6 port is dropped", 1, "10.0.0.1", ["[2001:db8::1]:4711", "2001:db8::1"]],
  ["a zone is dropped", 0, "fe80::1%eth0", ["", "fe80::1"]],
  ["garbage ends at the proxy that sent it", 1, "10.0.0.1", ["<script>", "10.0.0.1"]],
  ["garbage further left is not reached", 1, "10.0.0.1", ["'; drop table, 198.51.100.1", "198.51.100.1"]],
  ["numbers that C reads as addresses are garbage", 1, "10.0.0.1", ["2130706433", "10.0.0.1"]],
  ["octal spellings are garbage", 1, "10.0.0.1", ["0177.0.0.1", "10.0.0.1"]],
  ["an empty header leaves the peer", 1, "10.0.0.1", ["", "10.0.0.1"]],
  ["empty entries end the walk", 2, "10.0.0.1", ["198.51.100.1,,", "10.0.0.1"]],
])("%s", async (_, trust, peer, [forwardedFor, address]) => {
  expect(await see(trust, peer, { "x-forwarded-for": forwardedFor })).toMatchObject({ address });
});

test("a request whose socket is gone has an unknown address", async () => {
  expect(await see(NETWORKS, undefined)).toMatchObject({ address: "unknown" });
});

test("ten thousand entries do not make the address a forged one", async () => {
  const forwardedFor = Array.from({ length: 10_000 }, () => "10.0.0.1").join(",");
  expect(await see(NETWORKS, "10.0.0.1", { "x-forwarded-for": forwardedFor })).toMatchObject({ address: "10.0.0.1" });
});

test("the protocol is believed from a trusted proxy alone", async () => {
  const headers = { "x-forwarded-proto": "https" };
  expect(await see(1, "10.0.0.1", headers)).toMatchObject({ protocol: "https" });
  expect(await see(0, "10.0.0.1", headers)).toMatchObject({ protocol: "http" });
});

test.each(["ftp", "javascript:", "https, gopher"])("the protocol %j is not taken over", async (protocol) => {
  expect(await see(1, "10.0.0.1", { "x-forwarded-proto": protocol })).toMatchObject({ protocol: "http" });
});

test("nothing behind sees forwarded headers of a stranger", async () => {
  const { headers } = await see(0, "203.0.113.9", {
    forwarded: "for=6.6.6.6",
    "x-forwarded-for": "6.6.6.6",
    "x-forwarded-host": "evil.example.com",
    "x-forwarded-port": "1",
    "x-forwarded-proto": "https",
    "x-real-ip": "6.6.6.6",
  });
  expect(headers).toEqual({});
});

test("behind a trusted proxy only its findings are left", async () => {
  const { headers } = await see(1, "10.0.0.1", {
    "x-forwarded-for": "6.6.6.6, 198.51.100.1",
    forwarded: "for=6.6.6.6",
  });
  expect(headers).toEqual({ "x-forwarded-for": "198.51.100.1" });
});
