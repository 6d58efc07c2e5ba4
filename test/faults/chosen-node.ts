import { type IncomingMessage, request } from "node:http";
import { Readable } from "node:stream";

/**
 * A `fetch` that goes to a node of the test's choosing and asks there for the issuer's host, as a load balancer would
 * pass it on. The platform's own cannot say another host than the one it connects to.
 *
 * @param originOf where to go with a path
 */
export function fetchAt(originOf: (path: string) => string): typeof fetch {
  return (input, init = {}) =>
    new Promise((resolve, reject) => {
      const url = new URL(input instanceof Request ? input.url : input);
      const outgoing = request(new URL(url.pathname + url.search, originOf(url.pathname)), {
        method: init.method ?? "GET",
        headers: { ...typeOf(init.body), ...Object.fromEntries(new Headers(init.headers)), host: url.host },
        agent: false,
        ...(init.signal ? { signal: init.signal } : {}),
      });
      outgoing.on("error", reject);
      outgoing.once("response", (answer) => resolve(toResponse(answer)));
      outgoing.end(init.body instanceof URLSearchParams ? init.body.toString() : (init.body ?? ""));
    });
}

/** As the platform says it of a form by itself. */
function typeOf(body: RequestInit["body"]): Readonly<Record<string, string>> {
  return body instanceof URLSearchParams ? { "content-type": "application/x-www-form-urlencoded" } : {};
}

const WITHOUT_BODY: ReadonlySet<number> = new Set([204, 205, 304]);

function toResponse(answer: IncomingMessage): Response {
  const { statusCode = 0, rawHeaders } = answer;
  const headers = new Headers();
  for (let index = 0; index < rawHeaders.length; index += 2) {
    headers.append(rawHeaders[index] ?? "", rawHeaders[index + 1] ?? "");
  }
  if (WITHOUT_BODY.has(statusCode)) {
    answer.resume();
    return new Response(null, { status: statusCode, headers });
  }
  return new Response(Readable.toWeb(answer) as ReadableStream<Uint8Array>, { status: statusCode, headers });
}
