import { request as requestHttp } from "node:http";
import { request as requestHttps } from "node:https";

const TIMEOUT_MS = 5_000;
const BODY_BYTES_MAX = 512 * 1024;

/** What was answered at an address of the issuer. */
export interface Page {
  readonly url: string;
  readonly status: number;
  /** By names in small letters; of several with one name the first. */
  readonly headers: Readonly<Record<string, string>>;
  readonly setCookies: readonly string[];
  readonly body: string;
}

export type ReadPage = (url: string, headers?: Readonly<Record<string, string>>) => Promise<Page>;

/**
 * Asks once, over a connection of its own, so that a balancer may send each question to another node. Follows nothing.
 * The certificate is checked as every client does it.
 */
export const readPage: ReadPage = (url, headers = {}) => {
  const { promise, resolve, reject } = Promise.withResolvers<Page>();
  const request = url.startsWith("https:") ? requestHttps : requestHttp;
  const signal = AbortSignal.timeout(TIMEOUT_MS);
  const options = { headers: { "user-agent": "latchkey-doctor", ...headers }, agent: false, signal };
  const outgoing = request(url, options, (answer) => {
    const chunks: Buffer[] = [];
    let byteCount = 0;
    answer.on("data", (chunk: Buffer) => {
      byteCount += chunk.length;
      if (byteCount > BODY_BYTES_MAX) outgoing.destroy(new Error("the answer is larger than any of ours"));
      else chunks.push(chunk);
    });
    answer.once("error", reject);
    answer.once("end", () =>
      resolve({
        url,
        status: answer.statusCode ?? 0,
        headers: firstOfEach(answer.headersDistinct),
        setCookies: answer.headers["set-cookie"] ?? [],
        body: Buffer.concat(chunks).toString("utf8"),
      }),
    );
  });
  outgoing.once("error", reject);
  outgoing.end();
  return promise;
};

function firstOfEach(headers: NodeJS.Dict<string[]>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(headers).map(([name, values]) => [name, values?.[0] ?? ""]));
}
