import { Agent, type IncomingMessage, request } from "node:http";
import { text } from "node:stream/consumers";

export interface HttpRequest {
  readonly method: "GET" | "POST";
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as an HTML form. */
  readonly form?: Readonly<Record<string, string>>;
}

export interface HttpAnswer {
  readonly status: number;
  readonly location: string | undefined;
  readonly headers: Headers;
  readonly body: string;
}

export interface HttpClient {
  send(request: HttpRequest): Promise<HttpAnswer>;
  close(): void;
}

/** A client on kept-alive connections, as an app's back end or a browser has them. It follows no redirects. */
export function createHttpClient(connectionsMax: number): HttpClient {
  const agent = new Agent({ keepAlive: true, maxSockets: connectionsMax });
  return {
    send({ method, url, headers = {}, form }) {
      const body = form === undefined ? undefined : new URLSearchParams(form).toString();
      const length = body === undefined ? {} : formHeaders(body);
      const { promise, resolve, reject } = Promise.withResolvers<HttpAnswer>();
      const outgoing = request(url, { method, agent, headers: { ...headers, ...length } }, (incoming) => {
        readAnswer(incoming).then(resolve, reject);
      });
      outgoing.on("error", reject);
      outgoing.end(body);
      return promise;
    },
    close: () => agent.destroy(),
  };
}

async function readAnswer(incoming: IncomingMessage): Promise<HttpAnswer> {
  return {
    status: incoming.statusCode ?? 0,
    location: incoming.headers.location,
    headers: new Headers((incoming.headers["set-cookie"] ?? []).map((line) => ["set-cookie", line])),
    body: await text(incoming),
  };
}

function formHeaders(body: string): Record<string, string> {
  return {
    "content-type": "application/x-www-form-urlencoded",
    "content-length": String(Buffer.byteLength(body)),
  };
}
