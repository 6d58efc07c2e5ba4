import { request } from "node:http";
import { connect } from "node:net";

/** A request whose every header may be forged, `Host` too, which `fetch` does not allow. */
export interface RawRequest {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  readonly body?: string | Buffer;
}

export interface RawAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: string;
}

const TIMEOUT_MS = 10_000;

/** Sends one request on a connection of its own and reads the whole answer; follows nothing. */
export function askNode(url: string, { method = "GET", headers = {}, body = "" }: RawRequest = {}): Promise<RawAnswer> {
  return new Promise((resolve, reject) => {
    const outgoing = request(url, { method, headers: headers as Record<string, string>, agent: false });
    outgoing.setTimeout(TIMEOUT_MS, () => outgoing.destroy(new Error(`no answer within ${TIMEOUT_MS} ms`)));
    outgoing.once("error", reject);
    outgoing.once("response", (answer) => {
      const chunks: Buffer[] = [];
      answer.on("data", (chunk: Buffer) => chunks.push(chunk));
      answer.once("error", reject);
      answer.once("end", () => {
        const received = new Headers();
        for (let index = 0; index < answer.rawHeaders.length; index += 2) {
          received.append(answer.rawHeaders[index] ?? "", answer.rawHeaders[index + 1] ?? "");
        }
        resolve({
          status: answer.statusCode ?? 0,
          headers: received,
          body: Buffer.concat(chunks).toString("utf8"),
        });
      });
    });
    outgoing.end(body);
  });
}

/** Sends bytes as they are and returns the status of what comes back; 0 when the connection was just closed. */
export function sendBytes(port: number, bytes: string | Buffer): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, "127.0.0.1", () => socket.write(bytes));
    let text = "";
    const finish = (): void => {
      socket.destroy();
      resolve({ status: Number(/^HTTP\/1\.1 (\d{3})/.exec(text)?.[1] ?? 0), text });
    };
    socket.setTimeout(3_000, finish);
    socket.setEncoding("latin1");
    socket.on("data", (chunk: string) => (text += chunk));
    socket.once("end", finish);
    socket.once("error", (error) => (text === "" ? reject(error) : finish()));
  });
}
