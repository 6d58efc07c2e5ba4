import { once } from "node:events";
import { type ClientRequest, type IncomingMessage, request } from "node:http";
import { expect } from "vitest";
import type { TestLatchkey } from "./latchkey.ts";

/** One event of the feed, as it came over the wire. */
export interface FeedEvent {
  readonly event: string;
  readonly id: string | undefined;
  readonly data: { readonly kind?: string; readonly value?: string; readonly expiresAt?: number };
}

/** A reader of the feed that takes the format at its word, on a connection of its own. */
export interface FeedClient {
  readonly status: number;
  readonly headers: IncomingMessage["headers"];
  /** Everything that came, in order. */
  readonly events: readonly FeedEvent[];
  /** The ids of the revocations among them, and their values. */
  values(): readonly (string | undefined)[];
  /** The last id that the server named, to go on from. */
  lastId(): string | undefined;
  /** The connection is over: `whole` when the server ended its answer as HTTP has it. */
  readonly ended: Promise<"whole" | "cut">;
  /** Resolves when the reader has everything and is told so. */
  upToDate(): Promise<void>;
  /** Takes nothing any more from the wire. */
  pause(): void;
  resume(): void;
  close(): void;
}

export interface FeedRequest {
  readonly token: string;
  readonly lastEventId?: string | undefined;
  readonly query?: string;
}

/** Connects to one node, which takes it for a request to the issuer; resolves with the head of its answer. */
export async function openFeed(
  node: Pick<TestLatchkey, "issuer" | "settings">,
  { token, lastEventId, query = "" }: FeedRequest,
): Promise<FeedClient> {
  const outgoing: ClientRequest = request(`http://127.0.0.1:${node.settings.PORT}/revocations${query}`, {
    agent: false,
    headers: {
      host: new URL(node.issuer).host,
      authorization: `Bearer ${token}`,
      accept: "text/event-stream",
      ...(lastEventId === undefined ? {} : { "last-event-id": lastEventId }),
    },
  });
  outgoing.on("error", () => undefined);
  outgoing.end();
  const [answer] = (await once(outgoing, "response")) as [IncomingMessage];
  const events: FeedEvent[] = [];
  let rest = "";
  answer.setEncoding("utf8");
  answer.on("data", (chunk: string) => {
    const blocks = (rest + chunk).split("\n\n");
    rest = blocks.pop() ?? "";
    if (answer.statusCode === 200) events.push(...blocks.map(parseEvent));
  });
  const ended = new Promise<"whole" | "cut">((resolve) => {
    answer.on("error", () => undefined);
    answer.on("close", () => resolve(answer.complete ? "whole" : "cut"));
  });
  return {
    status: answer.statusCode ?? 0,
    headers: answer.headers,
    events,
    values: () => events.filter(({ event }) => event === "revocation").map(({ data }) => data.value),
    lastId: () => events.findLast(({ id }) => id !== undefined)?.id,
    ended,
    upToDate: async () => {
      await expect.poll(() => events.at(-1)?.event, { timeout: 8_000, interval: 5 }).toBe("heartbeat");
    },
    pause: () => void answer.pause(),
    resume: () => void answer.resume(),
    close: () => void outgoing.destroy(),
  };
}

function parseEvent(block: string): FeedEvent {
  const fields = new Map(
    block.split("\n").map((line): [string, string] => {
      const at = line.indexOf(": ");
      return [line.slice(0, at), line.slice(at + 2)];
    }),
  );
  const data = JSON.parse(fields.get("data") ?? "null") as FeedEvent["data"];
  return { event: fields.get("event") ?? "message", id: fields.get("id"), data };
}
