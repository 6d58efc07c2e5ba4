import { chmodSync, rmSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { z } from "zod";
import { isAppError, AppError } from "../core/index.ts";
import { goesOn } from "./audit-list-command.ts";
import type { Invocation, Services } from "./command.ts";
import { type Answer, executeCommand, failed } from "./execute.ts";
import { shortestPath } from "./control-path.ts";

const BODY_BYTES_MAX = 1024 * 1024;
const REQUEST_TIMEOUT_MS = 10_000;

export interface ControlServerOptions {
  /** Must be in a directory that only the owner of the process can enter: the socket is all the protection there is. */
  readonly socketPath: string;
  readonly services: Services;
  readonly logger: {
    info(fields: object, message: string): void;
    error(fields: object, message: string): void;
  };
}

export interface ControlServer {
  /** Answers what is under way, then stops and removes the socket. */
  close(): Promise<void>;
}

const invocationSchema = z.strictObject({ command: z.string(), input: z.unknown() });

/**
 * Lets the command line work on a database that only this process may open. A socket that is there already is of a
 * server that died: the lock on the data directory says that there is no other one.
 */
export async function startControlServer(options: ControlServerOptions): Promise<ControlServer> {
  const path = shortestPath(options.socketPath);
  rmSync(path, { force: true });
  const underWay = new Set<Promise<void>>();
  const server = createServer({ requestTimeout: REQUEST_TIMEOUT_MS, headersTimeout: REQUEST_TIMEOUT_MS });
  server.on("request", (request: IncomingMessage, response: ServerResponse) => {
    readBody(request)
      .then((body) => {
        const carriedOut = carryOut(options, parseInvocation(body)).then((answer) => send(response, 200, answer));
        underWay.add(carriedOut);
        return carriedOut.finally(() => underWay.delete(carriedOut));
      })
      .catch((error: unknown) => send(response, isAppError(error) ? error.status : 500, wordRefusal(error)));
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(path, resolve);
  });
  chmodSync(path, 0o600);
  return {
    async close() {
      const closed = new Promise((resolve) => server.close(resolve));
      await Promise.allSettled(underWay);
      // What is left has not sent a whole command.
      server.closeAllConnections();
      await closed;
    },
  };
}

async function carryOut(options: ControlServerOptions, invocation: Invocation): Promise<Answer> {
  const { command } = invocation;
  // The stack alone: a database's error carries the row that it refused, and so personal data.
  const onBug = (error: unknown): void => options.logger.error({ command, stack: stackOf(error) }, "a command failed");
  const answer = await executeCommand(options.services, invocation, onBug);
  // Who follows asks every second.
  if (!goesOn(invocation)) options.logger.info({ command, outcome: answer.outcome }, "answered a command");
  return answer;
}

function stackOf(error: unknown): string {
  return error instanceof Error && error.stack !== undefined ? error.stack : String(error);
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let byteCount = 0;
  for await (const chunk of request) {
    const octets = Buffer.from(chunk);
    byteCount += octets.length;
    if (byteCount > BODY_BYTES_MAX) throw new AppError("BODY_TOO_LARGE");
    chunks.push(octets);
  }
  return Buffer.concat(chunks).toString("utf8");
}

function parseInvocation(body: string): Invocation {
  try {
    const { command, input } = invocationSchema.parse(JSON.parse(body));
    return { command, input };
  } catch {
    throw new AppError("INPUT_INVALID");
  }
}

function wordRefusal(error: unknown): Answer {
  return isAppError(error)
    ? failed(error.code, error.sentence)
    : failed("SERVER_ERROR", "The server could not answer.");
}

/** Resolves when the answer has left, or cannot leave any more. */
function send(response: ServerResponse, status: number, answer: Answer): Promise<void> {
  return new Promise((resolve) => {
    response.once("close", resolve);
    if (response.destroyed) return resolve();
    response.writeHead(status, { "content-type": "application/json", connection: "close" });
    response.end(JSON.stringify(answer));
  });
}
