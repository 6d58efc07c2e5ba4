import { createServer as createNodeServer, type Server } from "node:http";
import type Koa from "koa";

const HEADERS_TIMEOUT_MS = 10_000;
const REQUEST_TIMEOUT_MS = 30_000;
const KEEP_ALIVE_TIMEOUT_MS = 65_000;
const DRAIN_MS = 25_000;
const CLOSE_IDLE_EVERY_MS = 50;

export interface HttpServer {
  readonly app: Koa;
  listen(): Promise<void>;
  /** Stops accepting, lets requests under way finish for up to 25 seconds, then cuts what is left. */
  close(): Promise<void>;
}

/** The HTTP server: Node's own, with an end to every wait. */
export function createServer(app: Koa, listen: { readonly host: string; readonly port: number }): HttpServer {
  // What Koa reports as unhandled was answered and logged by our own middleware, or is a client that went away.
  app.on("error", () => undefined);
  const answer = app.callback();
  const server = createNodeServer((request, response) => void answer(request, response));
  server.headersTimeout = HEADERS_TIMEOUT_MS;
  server.requestTimeout = REQUEST_TIMEOUT_MS;
  server.keepAliveTimeout = KEEP_ALIVE_TIMEOUT_MS;

  return {
    app,
    listen: () =>
      new Promise((resolve, reject) => {
        server.once("error", reject);
        server.listen(listen.port, listen.host, () => {
          server.removeListener("error", reject);
          resolve();
        });
      }),
    close: () => drain(server),
  };
}

async function drain(server: Server): Promise<void> {
  if (!server.listening) return;
  const cut = setTimeout(() => server.closeAllConnections(), DRAIN_MS);
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  // A connection that was answered just now is kept alive by the client, and would hold us up until the cut.
  const closeIdle = setInterval(() => server.closeIdleConnections(), CLOSE_IDLE_EVERY_MS);
  server.closeIdleConnections();
  await closed;
  clearInterval(closeIdle);
  clearTimeout(cut);
}
