import { once } from "node:events";
import { createServer as createNodeServer, type Server, type ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type Koa from "koa";

const HEADERS_TIMEOUT_MS = 10_000;
const REQUEST_TIMEOUT_MS = 30_000;
/** How often Node looks for connections beyond these two; by itself only every 30 seconds. */
const CHECK_EVERY_MS = 1_000;
/** A connection on which nothing moves during a request, in either direction: whoever asks does not take the answer. */
const STILL_MAX_MS = 30_000;
const KEEP_ALIVE_TIMEOUT_MS = 65_000;
const DRAIN_MS = 25_000;
const CLOSE_IDLE_EVERY_MS = 50;

export interface HttpServer {
  readonly app: Koa;
  listen(): Promise<void>;
  /** Asks clients to go elsewhere: every answer from now on closes its connection. New ones are still taken. */
  startLeaving(): void;
  /** Stops accepting, lets requests under way finish for up to 25 seconds since it began to leave, then cuts what is left. */
  close(): Promise<void>;
}

export interface ListenOptions {
  readonly host: string;
  readonly port: number;
  /**
   * Other processes listen on it as well, and the kernel shares connections out. With Node's own way, by which one process
   * accepts for all, a connection that was passed to one that had just died would hang.
   */
  readonly sharesPort?: boolean;
}

/** The HTTP server: Node's own, with an end to every wait. */
export function createServer(app: Koa, { host, port, sharesPort = false }: ListenOptions): HttpServer {
  // What Koa reports as unhandled was answered and logged by our own middleware, or is a client that went away.
  app.on("error", () => undefined);
  const answer = app.callback();
  /** Connections on which nothing was asked yet: browsers open some in advance. Node does not count them as idle. */
  const unused = new Set<Socket>();
  const underWay = new Set<ServerResponse>();
  let cut: NodeJS.Timeout | undefined;
  const server = createNodeServer({ connectionsCheckingInterval: CHECK_EVERY_MS }, (request, response) => {
    unused.delete(request.socket);
    if (cut !== undefined) askToLeave(response);
    underWay.add(response);
    response.once("close", () => underWay.delete(response));
    void answer(request, response);
  });
  server.on("connection", (socket) => {
    unused.add(socket);
    socket.once("close", () => unused.delete(socket));
  });
  server.headersTimeout = HEADERS_TIMEOUT_MS;
  server.requestTimeout = REQUEST_TIMEOUT_MS;
  server.timeout = STILL_MAX_MS;
  server.keepAliveTimeout = KEEP_ALIVE_TIMEOUT_MS;
  const startLeaving = (): void => {
    if (server.listening) cut ??= setTimeout(() => server.closeAllConnections(), DRAIN_MS);
    for (const response of underWay) askToLeave(response);
  };

  return {
    app,
    async listen() {
      server.listen({ host, port, ...(sharesPort ? { reusePort: true, exclusive: true } : {}) });
      await once(server, "listening");
    },
    startLeaving,
    async close() {
      if (!server.listening) return;
      startLeaving();
      await drain(server, unused);
      clearTimeout(cut);
    },
  };
}

function askToLeave(response: ServerResponse): void {
  if (!response.headersSent) response.setHeader("Connection", "close");
}

async function drain(server: Server, unused: ReadonlySet<Socket>): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  // A connection that was answered just now is kept alive by the client, and would hold us up until the cut.
  const closeIdle = setInterval(() => server.closeIdleConnections(), CLOSE_IDLE_EVERY_MS);
  server.closeIdleConnections();
  for (const socket of unused) if (socket.bytesRead === 0) socket.destroy();
  await closed;
  clearInterval(closeIdle);
}
