import { request } from "node:http";
import { AUDIT_VERIFY } from "./audit-integrity-commands.ts";
import type { Invocation } from "./command.ts";
import { shortestPath } from "./control-path.ts";
import { type Answer, answerSchema, failed } from "./execute.ts";

const ANSWER_TIMEOUT_MS = 60_000;
/** A backup takes some fifteen seconds for a million rows; to verify as many events takes longer. */
const LONG_TIMEOUT_MS = 30 * 60_000;
const LONG_COMMANDS: ReadonlySet<string> = new Set(["backup", AUDIT_VERIFY]);

/** Asks the server that owns the socket; `undefined` when there is none. */
export async function askServer(socketPath: string, invocation: Invocation): Promise<Answer | undefined> {
  try {
    const timeoutMs = LONG_COMMANDS.has(invocation.command) ? LONG_TIMEOUT_MS : ANSWER_TIMEOUT_MS;
    const answer = await post(shortestPath(socketPath), { body: JSON.stringify(invocation), timeoutMs });
    return answerSchema.parse(JSON.parse(answer));
  } catch (error) {
    if (isNobodyThere(error)) return undefined;
    return failed("SERVER_SILENT", "The running server did not answer as expected. Is it of the same version?");
  }
}

/** No socket, or one that a server left behind when it died. */
function isNobodyThere(error: unknown): boolean {
  return error instanceof Error && "code" in error && (error.code === "ENOENT" || error.code === "ECONNREFUSED");
}

function post(
  socketPath: string,
  { body, timeoutMs }: { readonly body: string; readonly timeoutMs: number },
): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const headers = { "content-type": "application/json", "content-length": Buffer.byteLength(body) };
  const signal = AbortSignal.timeout(timeoutMs);
  const outgoing = request({ socketPath, method: "POST", path: "/commands", headers, signal }, (response) => {
    const chunks: Buffer[] = [];
    response.on("data", (chunk: Buffer) => chunks.push(chunk));
    response.on("end", () => resolve(Buffer.concat(chunks).toString("utf8")));
    response.on("error", reject);
  });
  outgoing.on("error", reject);
  outgoing.end(body);
  return promise;
}
