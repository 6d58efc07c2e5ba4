import { readdirSync } from "node:fs";
import { afterAll, beforeAll, expect, test } from "vitest";
import { INTERACTION_ROUTES } from "../../src/interaction/index.ts";
import { MAILBOX_ROUTES } from "../../src/mail/index.ts";
import { PROTOCOL_ROUTES } from "../../src/oidc/index.ts";
import { createLogger } from "../../src/observability/index.ts";
import { SELF_SERVICE_ROUTES } from "../../src/self-service/index.ts";
import { alice } from "../support/cast.ts";
import { askNode, type RawAnswer } from "../support/raw-http.ts";
import { createWorld, type World } from "../support/world.ts";
import { type Route, ROUTES } from "./route-table.ts";

let world: World;
const logged: string[] = [];
beforeAll(async () => {
  const destination = { write: (line: string) => void logged.push(line) };
  world = await createWorld({ stores: "redis", logger: createLogger({ level: "info", destination }) });
});
afterAll(() => world.close());

const nameOf = ({ method, path }: Pick<Route, "method" | "path">): string => `${method} ${path}`;
const LISTED = new Set(ROUTES.map(nameOf));

function askAnonymously({ method, path }: Pick<Route, "method" | "path">, headers = {}): Promise<RawAnswer> {
  const isForm = method === "POST";
  return askNode(world.latchkey.issuer + path.replace(":uid", "0".repeat(43)), {
    method,
    headers: {
      accept: "text/html",
      ...(isForm ? { "content-type": "application/x-www-form-urlencoded" } : {}),
      ...headers,
    },
  });
}

test("every route of the pages is in the table", () => {
  for (const route of [...INTERACTION_ROUTES, ...SELF_SERVICE_ROUTES]) expect(LISTED).toContain(route);
});

test("what embedded mode has beside it is not in the table, and so not served here", () => {
  for (const route of MAILBOX_ROUTES) expect(LISTED).not.toContain(route);
});

test("every path of the protocol is in the table, and so is every endpoint that the metadata names", () => {
  const paths = new Set(ROUTES.map(({ path }) => path));
  const endpoints = Object.entries(world.server)
    .filter(([name]) => name.endsWith("_endpoint") || name === "jwks_uri")
    .map(([, url]) => (typeof url === "string" ? new URL(url).pathname : ""));
  for (const path of [...Object.values(PROTOCOL_ROUTES), ...endpoints]) expect(paths).toContain(path);
});

test("every file of the pages is in the table", () => {
  const files = readdirSync(new URL("../../views/assets/", import.meta.url));
  for (const file of [...files, "brand.css"]) expect(LISTED).toContain(`GET /assets/${file}`);
});

// What the library would serve by itself, were it on; and methods of listed paths that nobody listed.
const UNLISTED = `
  /reg /reg/x /device /device/auth /backchannel /session/end /me /auth /challenge /credential
  /.well-known/openid-credential-issuer /.well-known/webfinger /admin /metrics /debug /.env /.git/config
  /package.json /health /data/secret /interaction /demo /dev/mail /dev/mail/x /dev/mail/x/html`
  .trim()
  .split(/\s+/)
  .flatMap((path) => (["GET", "POST"] as const).map((method) => ({ method, path })));

test("nothing else is served", async () => {
  const others = [...new Set(ROUTES.map(({ path }) => path))].flatMap((path) =>
    (["GET", "POST"] as const).map((method) => ({ method, path })).filter((route) => !LISTED.has(nameOf(route))),
  );
  // `/interaction/restart` also reads as an interaction of that name.
  for (const route of [...UNLISTED, ...others]) {
    const { status } = await askAnonymously(route);
    expect([404, 405], nameOf(route)).toContain(status);
  }
});

test("every route is logged by its pattern, and so counted and traced by it", async () => {
  for (const route of ROUTES.filter(({ method }) => method !== "OPTIONS")) {
    logged.length = 0;
    const { headers } = await askAnonymously(route);
    const lines = logged.map((line) => JSON.parse(line) as Record<string, unknown>);
    const line = lines.find(({ msg, requestId }) => msg === "request" && requestId === headers.get("x-request-id"));
    const pattern = route.path.startsWith("/assets/") ? "/assets/:file" : route.path;
    expect(line?.["route"], nameOf(route)).toBe(pattern);
  }
});

test.each(ROUTES)("$method $path ($protection) answers $anonymous to a stranger", async (route) => {
  const isPreflight = route.method === "OPTIONS";
  const answer = await askAnonymously(
    route,
    isPreflight ? { origin: "https://mallory.example.com", "access-control-request-method": "POST" } : {},
  );
  expect(answer.status).toBe(route.anonymous);
  expect(answer.body).not.toContain(alice.email);
  const location = answer.headers.get("location") ?? "/";
  expect(new URL(location, world.latchkey.issuer).origin).toBe(world.latchkey.issuer);
});
