import { createServer, type IncomingHttpHeaders, type ServerResponse } from "node:http";
import { Webhook } from "standardwebhooks";
import { onTestFinished, vi } from "vitest";
import { z } from "zod";
import { listenOnLoopback } from "./servers.ts";

/** A webhook that arrived and whose signature was found right. */
export interface ReceivedWebhook {
  readonly id: string;
  readonly timestampSeconds: number;
  readonly signatures: number;
  readonly type: string;
  readonly timestamp: string;
  readonly data: Readonly<Record<string, unknown>>;
}

const messageSchema = z.strictObject({
  type: z.string(),
  timestamp: z.iso.datetime(),
  data: z.record(z.string(), z.unknown()),
});

/** What is answered to a message that is right: a status, or whatever is done with the response. */
type Answer = number | ((response: ServerResponse) => void);

/**
 * An endpoint for webhooks. Each is verified by the reference implementation of Standard Webhooks, under the secret that was
 * shown; what is wrong with one is kept in `faults`, and answered with 400.
 */
export interface WebhookReceiver {
  readonly url: string;
  readonly received: readonly ReceivedWebhook[];
  readonly faults: readonly string[];
  /** How many requests came, whatever was in them. */
  readonly requests: () => number;
  secret: string;
  answer: (message: ReceivedWebhook) => Answer;
}

/** @param nowMs what time it is there; tests that travel in time say so. */
export async function startWebhookReceiver(nowMs: () => number = () => Date.now()): Promise<WebhookReceiver> {
  const received: ReceivedWebhook[] = [];
  const faults: string[] = [];
  let requests = 0;
  const server = createServer((request, response) => {
    requests += 1;
    let body = "";
    request.on("data", (chunk) => void (body += String(chunk)));
    request.on("end", () => {
      try {
        const message = atTime(nowMs(), () => verify(receiver.secret, request.headers, body));
        received.push(message);
        const answer = receiver.answer(message);
        if (typeof answer === "number") response.writeHead(answer).end();
        else answer(response);
      } catch (error) {
        faults.push(String(error));
        response.writeHead(400).end();
      }
    });
  });
  const port = await listenOnLoopback(server);
  onTestFinished(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  const receiver: WebhookReceiver = {
    url: `http://127.0.0.1:${port}/in`,
    received,
    faults,
    requests: () => requests,
    secret: "",
    answer: () => 204,
  };
  return receiver;
}

/** The library asks the process what time it is. */
function atTime<Result>(nowMs: number, look: () => Result): Result {
  const now = vi.spyOn(Date, "now").mockReturnValue(nowMs);
  try {
    return look();
  } finally {
    now.mockRestore();
  }
}

function verify(secret: string, headers: IncomingHttpHeaders, body: string): ReceivedWebhook {
  const of = (name: string): string => String(headers[name] ?? "");
  if (of("content-type") !== "application/json") throw new Error(`it is ${of("content-type")}`);
  const signed = {
    "webhook-id": of("webhook-id"),
    "webhook-timestamp": of("webhook-timestamp"),
    "webhook-signature": of("webhook-signature"),
  };
  const message = messageSchema.parse(new Webhook(secret).verify(body, signed));
  return {
    ...message,
    id: signed["webhook-id"],
    timestampSeconds: Number(signed["webhook-timestamp"]),
    signatures: signed["webhook-signature"].split(" ").length,
  };
}
