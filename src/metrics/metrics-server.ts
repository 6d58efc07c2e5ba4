import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { background } from "../core/index.ts";
import type { Metrics } from "./metrics.ts";

const HEADERS_TIMEOUT_MS = 5_000;
const REQUEST_TIMEOUT_MS = 10_000;
/** Prometheus keeps its connections, and there are few of it. */
const CONNECTIONS_MAX = 50;

export interface MetricsServer {
  /** @throws when the port is in use (`EADDRINUSE`) or may not be used. */
  listen(): Promise<void>;
  close(): Promise<void>;
}

export interface MetricsServerDeps {
  readonly metrics: Pick<Metrics, "render">;
  readonly listen: { readonly host: string; readonly port: number };
  readonly reportFailure: (error: unknown) => void;
}

/** Answers `GET /metrics`, and nothing else, at an address of its own. */
export function createMetricsServer({ metrics, listen, reportFailure }: MetricsServerDeps): MetricsServer {
  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = request.url?.split("?")[0];
    if (path !== "/metrics") return refuse(response, 404);
    if (request.method !== "GET" && request.method !== "HEAD") return refuse(response, 405);
    const { contentType, text } = await metrics.render();
    response.writeHead(200, { "Content-Type": contentType, "Cache-Control": "no-store" });
    response.end(request.method === "HEAD" ? undefined : text);
  }

  const server = createServer((request, response) => {
    background(answer(request, response), (error) => {
      reportFailure(error);
      if (response.headersSent) response.destroy();
      else refuse(response, 500);
    });
  });
  server.headersTimeout = HEADERS_TIMEOUT_MS;
  server.requestTimeout = REQUEST_TIMEOUT_MS;
  server.maxConnections = CONNECTIONS_MAX;

  return {
    async listen() {
      server.listen(listen.port, listen.host);
      await once(server, "listening");
    },
    async close() {
      if (!server.listening) return;
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      await closed;
    },
  };
}

function refuse(response: ServerResponse, status: 404 | 405 | 500): void {
  response.writeHead(status, status === 405 ? { Allow: "GET" } : {});
  response.end();
}
