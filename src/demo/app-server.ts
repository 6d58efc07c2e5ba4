import { readFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { sha256 } from "../core/index.ts";

/** What the app asks its own origin for at `/config.json`. */
export interface AppSettings {
  readonly issuer: string;
  readonly clientId: string;
  readonly scope: string;
  readonly apiUrl: string;
}

interface StaticFile {
  readonly type: string;
  readonly content: Buffer;
}

const APP_FOLDER = join(import.meta.dirname, "../../examples/spa");

const APP_FILES = [
  { path: "/app.js", type: "text/javascript" },
  { path: "/sign-in.js", type: "text/javascript" },
  { path: "/app.css", type: "text/css" },
  { path: "/icon.svg", type: "image/svg+xml" },
] as const;

/** The redirect URI is a page of the app like its start page. */
const PAGE_PATHS = ["/", "/callback"] as const;

/**
 * Serves the example app. All of its files are read once and served by exact path, so that no request can name a file
 * that is not on the list.
 */
export async function createAppServer(settings: AppSettings): Promise<Server> {
  const files = await readFiles(settings);
  const headers = securityHeaders(settings, files.get("/"));
  return createServer((request, response) => {
    for (const [name, value] of headers) response.setHeader(name, value);
    const isRead = request.method === "GET" || request.method === "HEAD";
    const file = isRead ? files.get(pathOf(request.url)) : undefined;
    if (file === undefined) {
      response.writeHead(isRead ? 404 : 405, { "content-type": "text/plain" });
      response.end(isRead ? "There is no such page.\n" : "This server only answers GET.\n");
      return;
    }
    response.writeHead(200, { "content-type": `${file.type}; charset=utf-8`, "content-length": file.content.length });
    response.end(request.method === "HEAD" ? undefined : file.content);
  });
}

async function readFiles(settings: AppSettings): Promise<ReadonlyMap<string, StaticFile>> {
  const page = { type: "text/html", content: await readFile(join(APP_FOLDER, "index.html")) };
  const library = fileURLToPath(import.meta.resolve("oauth4webapi"));
  const named = await Promise.all(
    APP_FILES.map(async ({ path, type }) => [path, { type, content: await readFile(join(APP_FOLDER, path)) }] as const),
  );
  return new Map<string, StaticFile>([
    ...PAGE_PATHS.map((path) => [path, page] as const),
    ...named,
    ["/vendor/oauth4webapi.js", { type: "text/javascript", content: await readFile(library) }],
    ["/config.json", { type: "application/json", content: Buffer.from(JSON.stringify(settings)) }],
  ]);
}

function pathOf(target: string | undefined): string {
  return (target ?? "/").replace(/[?#].*$/, "");
}

/**
 * No script but the app's own: the tokens are in memory, and what keeps them there is that nothing else runs here. The
 * import map has to stand in the page, so that it is allowed by its hash.
 */
function securityHeaders(settings: AppSettings, page: StaticFile | undefined): ReadonlyMap<string, string> {
  const importMap = /<script type="importmap">([\s\S]*?)<\/script>/.exec(page?.content.toString() ?? "")?.[1] ?? "";
  const policy = [
    "default-src 'none'",
    `script-src 'self' 'sha256-${sha256(importMap).toString("base64")}'`,
    "style-src 'self'",
    "img-src 'self'",
    `connect-src 'self' ${settings.issuer} ${settings.apiUrl}`,
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ];
  return new Map([
    ["content-security-policy", policy.join("; ")],
    ["cache-control", "no-cache"],
    // The code stands in the address of `/callback`; it goes no further than this.
    ["referrer-policy", "no-referrer"],
    ["x-content-type-options", "nosniff"],
  ]);
}
