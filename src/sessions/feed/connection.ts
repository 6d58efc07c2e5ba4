import { once } from "node:events";
import type { Writable } from "node:stream";
import { background, type Clock } from "../../core/index.ts";
import type { RevocationLog } from "../revocation-log.ts";
import type { Revocation } from "../revocation-page.ts";
import { heartbeatEvent, RESET_EVENT, revocationEvent } from "./events.ts";
import type { FeedReader } from "./feed-reader.ts";

/** Written at once to a reader that catches up; then it is waited for until that has left. */
const PIECE_RECORDS = 200;
/** A reader that has not taken a piece by then is cut off. */
const STALL_MAX_MS = 10_000;
/** A connection that was ended in good order and is not gone by then is cut. */
const LINGER_MAX_MS = 5_000;

/** Why a connection is over. `slow` readers were cut off; they go on with a new one like all others. */
export type DisconnectReason = "gone" | "slow" | "token_expired" | "token_revoked" | "history_lost" | "stopping";

export interface ConnectionOptions {
  readonly reader: FeedReader;
  readonly sink: Writable;
  /** The position to go on from; without one the reader is told to forget everything, and gets all there is. */
  readonly resumeAfter: number | undefined;
}

export interface ConnectionDeps {
  readonly log: Pick<RevocationLog, "listAfter" | "catchUp" | "lastId">;
  readonly clock: Clock;
  readonly bufferBytesMax: number;
  /** Called once. */
  readonly onEnd: (reason: DisconnectReason) => void;
}

/** A record with the event that tells of it. */
export interface Told {
  readonly record: Revocation;
  readonly event: Buffer;
}

/**
 * One reader. It catches up at its own pace, out of the log; then it is live, and given what comes as it comes. When it
 * does not take that fast enough, it falls back to catching up: what waits for it is the log, not a buffer of its own.
 */
export interface FeedConnection {
  readonly reader: FeedReader;
  /** Begins to send. */
  begin(): void;
  /** Gives a reader that is live what the log has just read; another finds it in the log. */
  offer(news: readonly Told[]): void;
  /** Says that the reader is up to date, if it is. */
  beat(heartbeat: Buffer): void;
  /** Cuts off a reader that takes nothing. */
  checkProgress(): void;
  end(reason: DisconnectReason): void;
}

export function createConnection(deps: ConnectionDeps, options: ConnectionOptions): FeedConnection {
  const { log, clock, bufferBytesMax, onEnd } = deps;
  const { reader, sink, resumeAfter } = options;
  const audiences = new Set(reader.audiences);
  let state: "catching up" | "live" | "over" = "catching up";
  let position = resumeAfter ?? 0;
  let waitsSinceMs: number | undefined;
  sink.once("close", () => finish("gone"));
  sink.on("error", () => undefined);

  function finish(reason: DisconnectReason): void {
    if (state === "over") return;
    state = "over";
    onEnd(reason);
  }

  async function catchUp(): Promise<void> {
    while (state === "catching up") {
      if (sink.writableNeedDrain) {
        waitsSinceMs = clock.nowMs();
        await untilDrained(sink);
        waitsSinceMs = undefined;
        continue;
      }
      const piece = log.listAfter(position, PIECE_RECORDS);
      position = piece.at(-1)?.id ?? position;
      // In the same breath as the look into the log: whatever that reads from here on is offered.
      if (piece.length === 0) return goLive();
      const events = piece.filter((record) => concerns(record, audiences)).map(revocationEvent);
      if (events.length > 0) sink.write(Buffer.concat(events));
    }
  }

  /** That took its time. That the reader is up to date may only be said of what the table has now. */
  async function goLive(): Promise<void> {
    state = "live";
    const seenAtMs = clock.nowMs();
    await log.catchUp();
    if (state === "live") sink.write(heartbeatEvent(log.lastId, seenAtMs));
  }

  // When the table is away just now, the next look that succeeds brings the heartbeat.
  const catchUpInBackground = (): void => background(catchUp(), () => undefined);

  return {
    reader,
    begin() {
      if (resumeAfter === undefined) sink.write(RESET_EVENT);
      catchUpInBackground();
    },
    offer(news) {
      if (state !== "live") return;
      const events = news.filter(({ record }) => concerns(record, audiences)).map(({ event }) => event);
      const bytes = events.reduce((sum, { length }) => sum + length, 0);
      if (bytes > 0 && sink.writableLength + bytes > bufferBytesMax) {
        state = "catching up";
        return catchUpInBackground();
      }
      position = news.at(-1)?.record.id ?? position;
      const [first] = events;
      if (first !== undefined) sink.write(events.length === 1 ? first : Buffer.concat(events));
    },
    beat(heartbeat) {
      if (state === "live") sink.write(heartbeat);
    },
    checkProgress() {
      if (waitsSinceMs === undefined || clock.nowMs() - waitsSinceMs <= STALL_MAX_MS) return;
      finish("slow");
      sink.destroy();
    },
    end(reason) {
      if (state === "over") return;
      finish(reason);
      endInGoodOrder(sink);
    },
  };
}

function endInGoodOrder(sink: Writable): void {
  const cut = setTimeout(() => sink.destroy(), LINGER_MAX_MS).unref();
  sink.once("close", () => clearTimeout(cut));
  sink.end();
}

/** Resolves when all that was written has left, or never will. */
async function untilDrained(sink: Writable): Promise<void> {
  const settled = new AbortController();
  const { signal } = settled;
  await Promise.race([once(sink, "drain", { signal }), once(sink, "close", { signal })]).catch(() => undefined);
  settled.abort();
}

function concerns({ audiences }: Revocation, ofReader: ReadonlySet<string>): boolean {
  return audiences === null || audiences.some((audience) => ofReader.has(audience));
}
