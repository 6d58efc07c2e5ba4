import type { Server } from "node:http";
import { connect, type AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, expect, test } from "vitest";
import { sha256 } from "../core/index.ts";
import { createAppServer } from "./app-server.ts";

const SETTINGS = {
  issuer: "https://id.example.com",
  clientId: "shopWeb",
  scope: "openid orders:read",
  apiUrl: "https://orders.example.com",
};

let server: Server;
let port: number;

beforeAll(async () => {
  server = await createAppServer(SETTINGS);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  port = (server.address() as AddressInfo).port;
});

afterAll(() => {
  server.close();
});

const get = (path: string, init?: RequestInit): Promise<Response> => fetch(`http://127.0.0.1:${port}${path}`, init);

/** Sends the target as it stands; fetch would tidy it up first. */
async function statusOf(target: string): Promise<string> {
  const socket = connect(port, "127.0.0.1");
  socket.end(`GET ${target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`);
  return (await text(socket)).slice(9, 12);
}

test("the start page and the redirect URI are the app's page; its parts are there", async () => {
  const page = await (await get("/")).text();
  expect(await (await get("/callback?code=a&state=b")).text()).toBe(page);
  const parts = [...page.matchAll(/(?:src|href)="(\/[^"]+)"/g)].map(([, path = ""]) => path);
  expect(parts).toEqual(expect.arrayContaining(["/app.js", "/app.css", "/icon.svg"]));
  for (const path of [...parts, "/sign-in.js", "/vendor/oauth4webapi.js"]) expect((await get(path)).status).toBe(200);
});

test("the app learns from its own origin whom to ask", async () => {
  expect(await (await get("/config.json")).json()).toEqual(SETTINGS);
});

test.each([
  "/package.json",
  "/../package.json",
  "/..%2fpackage.json",
  "/spa/../../../package.json",
  "//etc/passwd",
  "/vendor/../../package.json",
  "/constructor",
])("nothing but the app is served: %s is 404", async (target) => {
  expect(await statusOf(target)).toBe("404");
});

test("scripts come from the app's origin alone, and the import map is allowed by its hash [ASVS 3.4.3]", async () => {
  const answer = await get("/");
  const policy = answer.headers.get("content-security-policy") ?? "";
  const [, importMap = ""] = /<script type="importmap">([\s\S]*?)<\/script>/.exec(await answer.text()) ?? [];
  expect(importMap).toContain("oauth4webapi");
  expect(policy).toContain(`script-src 'self' 'sha256-${sha256(importMap).toString("base64")}';`);
  expect(policy).toContain(`connect-src 'self' ${SETTINGS.issuer} ${SETTINGS.apiUrl};`);
  expect(policy).not.toContain("unsafe");
});

test("the app's page is only read", async () => {
  expect((await get("/", { method: "POST" })).status).toBe(405);
});
