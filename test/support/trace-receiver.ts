import { createServer, type IncomingHttpHeaders } from "node:http";
import { listenOnLoopback } from "./servers.ts";

/** A span as it came to the collector. */
export interface ReceivedSpan {
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string | undefined;
  readonly attributes: Readonly<Record<string, string>>;
}

interface WrittenAttribute {
  readonly key: string;
  readonly value: Readonly<Record<string, unknown>>;
}

interface WrittenSpan extends Omit<ReceivedSpan, "attributes"> {
  readonly attributes?: readonly WrittenAttribute[];
}

interface Written {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: readonly WrittenAttribute[] };
    readonly scopeSpans: readonly { readonly spans: readonly WrittenSpan[] }[];
  }[];
}

/** A collector of OpenTelemetry on loopback, which takes OTLP over HTTP in JSON. */
export class TraceReceiver {
  readonly spans: ReceivedSpan[] = [];
  /** Everything that was sent, as it was sent. */
  text = "";
  headers: IncomingHttpHeaders | undefined;
  path: string | undefined;
  resource: Readonly<Record<string, string>> = {};
  readonly #server = createServer((request, response) => {
    this.headers = request.headers;
    this.path = request.url;
    let body = "";
    request.on("data", (chunk) => void (body += String(chunk)));
    request.on("end", () => {
      this.#take(body);
      response.writeHead(200, { "content-type": "application/json" }).end("{}");
    });
  });
  #port = 0;

  async listen(): Promise<this> {
    this.#port = await listenOnLoopback(this.#server);
    return this;
  }

  get endpoint(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  named(name: string): readonly ReceivedSpan[] {
    return this.spans.filter((span) => span.name === name);
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #take(body: string): void {
    this.text += body;
    for (const { resource, scopeSpans } of (JSON.parse(body) as Written).resourceSpans) {
      this.resource = read(resource.attributes);
      for (const { attributes = [], ...span } of scopeSpans.flatMap(({ spans }) => spans)) {
        this.spans.push({ ...span, attributes: read(attributes) });
      }
    }
  }
}

function read(attributes: readonly WrittenAttribute[]): Readonly<Record<string, string>> {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, String(Object.values(value)[0])]));
}
