import type { Context } from "koa";
import { isAppError } from "../../core/index.ts";
import type { RevocationLog } from "../revocation-log.ts";
import type { AuthenticateReader, ReaderRefusal } from "./feed-reader.ts";
import { type Admission, createFeedHub, type FeedHubDeps } from "./hub.ts";

/** What a token must have been issued for. */
const SCOPE = "revocations";

const RETRY_AFTER_SECONDS = 5;
/** A decimal number that a double holds exactly. */
const EVENT_ID = /^\d{1,15}$/;

export interface RevocationFeedDeps extends FeedHubDeps {
  readonly authenticateReader: AuthenticateReader;
}

export interface RevocationFeed {
  /** Answers `GET /revocations`. The answer goes on after this has resolved. @see docs/revocation-feed.md */
  readonly answer: (ctx: Context) => Promise<void>;
  /** How many services are connected to this node. */
  connectionCount(): number;
  /** Ends all connections and opens none any more. */
  close(): Promise<void>;
}

export function createRevocationFeed(deps: RevocationFeedDeps): RevocationFeed {
  const { log, authenticateReader } = deps;
  const hub = createFeedHub(deps);

  async function open(ctx: Context): Promise<void> {
    const authentication = await authenticateReader(ctx);
    if (authentication.type === "refused") return refuseReader(ctx, authentication);
    const { reader } = authentication;
    const admission = await hub.admit(reader.clientId);
    if (admission.type !== "place") return refuseFull(ctx, admission);
    let isConnected = false;
    try {
      await log.catchUp();
      if (log.isRevoked(reader.token)) return refuseReader(ctx, REVOKED);
      // Gone while we looked: the place would be kept for a connection that never closes, because it has closed.
      if (ctx.res.destroyed) return;
      startStream(ctx);
      admission.connect({ reader, sink: ctx.res, resumeAfter: resumePosition(ctx, log) });
      isConnected = true;
    } finally {
      if (!isConnected) admission.leave();
    }
  }

  async function answer(ctx: Context): Promise<void> {
    if (ctx.method !== "GET") return refuseMethod(ctx);
    try {
      await open(ctx);
    } catch (error) {
      if (!isAppError(error, "STORE_UNAVAILABLE")) throw error;
      refuseForNow(ctx, 503, error.sentence);
    }
  }

  return { answer, connectionCount: () => hub.connectionCount(), close: () => hub.close() };
}

const REVOKED: ReaderRefusal = { status: 401, error: "invalid_token", description: "the token was revoked" };

/**
 * Where the reader goes on. Nowhere, and so from the beginning, when it says no position, one before what is kept, or
 * one that this table has not reached: then it read in a history that is lost.
 */
function resumePosition(ctx: Context, log: Pick<RevocationLog, "keptAfterId" | "lastId">): number | undefined {
  const text = ctx.get("Last-Event-ID");
  if (!EVENT_ID.test(text)) return undefined;
  const position = Number(text);
  return position < log.keptAfterId || position > log.lastId ? undefined : position;
}

function startStream(ctx: Context): void {
  // Koa would end an answer whose body it does not know.
  ctx.respond = false;
  // While the database is away nothing is sent, and that is no reader that stands still: of those `hub.ts` takes care.
  ctx.req.socket.setTimeout(0);
  ctx.res.writeHead(200, {
    "Content-Type": "text/event-stream",
    "Cache-Control": "no-store",
    // nginx, and whoever does as it does, would gather what is to leave at once.
    "X-Accel-Buffering": "no",
  });
  ctx.res.flushHeaders();
}

function refuseMethod(ctx: Context): void {
  ctx.status = 405;
  ctx.set("Allow", "GET");
  refuse(ctx, "invalid_request", "the feed is read with GET");
}

/** @see RFC 6750, section 3 */
function refuseReader(ctx: Context, { status, error, description }: ReaderRefusal): void {
  ctx.status = status;
  // Who has not authenticated is told how, and not what is wrong (section 3.1).
  const isAnonymous = ctx.get("Authorization") === "";
  const reason = isAnonymous ? "" : `error="${error}", error_description="${quotable(description)}", `;
  ctx.set("WWW-Authenticate", `Bearer ${reason}scope="${SCOPE}"`);
  refuse(ctx, error, description);
}

/** The characters that `error_description` may have (RFC 6750, section 3). */
function quotable(text: string): string {
  return text.replaceAll(/[^\x20-\x21\x23-\x5B\x5D-\x7E]/g, " ");
}

function refuseFull(ctx: Context, { type }: Exclude<Admission, { readonly type: "place" }>): void {
  if (type === "client_full") return refuseForNow(ctx, 429, "This client has as many connections as it may have.");
  const reason = type === "full" ? "has as many connections as it may have" : "is stopping";
  refuseForNow(ctx, 503, `This server ${reason}.`);
}

function refuseForNow(ctx: Context, status: 429 | 503, description: string): void {
  ctx.status = status;
  ctx.set("Retry-After", String(RETRY_AFTER_SECONDS));
  refuse(ctx, "temporarily_unavailable", description);
}

/** Always JSON: whoever reads the feed is a program, also when its `Accept` does not say so. */
function refuse(ctx: Context, error: string, description: string): void {
  ctx.set("Cache-Control", "no-store");
  ctx.body = { error, error_description: description };
}
