import { request, type IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";
import Koa, { type Middleware } from "koa";

/** What a test sends. `host` and every other header may be forged. */
export interface TestRequest {
  readonly method?: string;
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  readonly body?: string;
}

export interface TestAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** Sends one request to an app of these middlewares on a free loopback port, over a real connection. */
export async function askApp(middlewares: readonly Middleware[], sent: TestRequest = {}): Promise<TestAnswer> {
  const app = new Koa();
  app.silent = true;
  for (const middleware of middlewares) app.use(middleware);
  const server = app.listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const { port } = server.address() as AddressInfo;
  try {
    return await send(port, sent);
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

function send(port: number, { method = "GET", path = "/", headers = {}, body = "" }: TestRequest): Promise<TestAnswer> {
  const isForm = method === "POST" && headers["content-type"] === undefined;
  const allHeaders = { ...(isForm ? { "content-type": "application/x-www-form-urlencoded" } : {}), ...headers };
  return new Promise((resolve, reject) => {
    const outgoing = request({ host: "127.0.0.1", port, method, path, headers: allHeaders as Record<string, string> });
    outgoing.once("error", reject);
    outgoing.once("response", (answer) => {
      const chunks: Buffer[] = [];
      answer.on("data", (chunk: Buffer) => chunks.push(chunk));
      answer.once("end", () => {
        const text = Buffer.concat(chunks).toString("utf8");
        resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body: text });
      });
    });
    outgoing.end(body);
  });
}
