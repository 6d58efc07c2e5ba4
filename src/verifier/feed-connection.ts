import { createDeferred } from "./deferred.ts";
import { VerifierError } from "./errors.ts";
import { createEventStreamParser, EventStreamFault } from "./event-stream.ts";
import { createFeedDelay } from "./feed-delay.ts";
import { type FeedEvent, parseFeedEvent } from "./feed-events.ts";
import { ageMsOf, type Moment, momentOf, type Platform } from "./platform.ts";
import { unlessAborted } from "./waiting.ts";

/** How a connection ended. Being cut is ordinary: the next one goes on where this one stopped. */
export type FeedEnd =
  | { readonly type: "cut"; readonly detail: string; readonly cause?: unknown }
  | { readonly type: "token_refused" }
  | { readonly type: "refused"; readonly error: VerifierError }
  | { readonly type: "busy"; readonly status: number; readonly retryAfterMs: number }
  | { readonly type: "closed" };

export interface FeedConnection {
  /** Settles with the first event, or with false if the connection ended before. */
  readonly begun: Promise<boolean>;
  /** Never rejects. */
  readonly ended: Promise<FeedEnd>;
  /** Whether it was up to date at some time. */
  wasUpToDate(): boolean;
  close(): void;
}

export interface FeedConnectionDeps {
  readonly fetch: typeof fetch;
  readonly platform: Platform;
  readonly staleAfterMs: number;
  readonly timeoutMs: number;
}

export interface FeedRequest {
  readonly url: string;
  readonly token: string;
  /** `Last-Event-ID`: what comes after it is asked for; absent: everything. */
  readonly position: string | undefined;
  /** An error that it throws ends the connection. */
  readonly onEvent: (event: FeedEvent) => void;
}

/** While a large set is being sent, so long a silence is not yet the end. */
const LOADING_SILENCE_MS = 10_000;
const RETRY_AFTER_MS_MAX = 30_000;

/** Opens the feed and reads it until it ends. */
export function openFeed(deps: FeedConnectionDeps, request: FeedRequest): FeedConnection {
  const { platform, staleAfterMs } = deps;
  const controller = new AbortController();
  const begun = createDeferred<boolean>();
  const delay = createFeedDelay(platform);
  let heartbeatAt: Moment | undefined;
  let silence: string | undefined;
  let cancelWatch = (): void => undefined;

  function watch(delayMs: number, what: string): void {
    cancelWatch();
    cancelWatch = platform.setTimer(() => {
      silence = what;
      controller.abort();
    }, delayMs);
  }

  const watchLoading = (): void => watch(Math.max(staleAfterMs, LOADING_SILENCE_MS), "nothing came");

  function takeHeartbeat(sentAt: number | undefined): void {
    // After a silence it may have lain in a buffer, and tell of a time long past: a paused process wakes up to many.
    const isAfterSilence = heartbeatAt !== undefined && ageMsOf(heartbeatAt, platform) >= staleAfterMs;
    const isHeldBack = sentAt !== undefined && delay.delayMsOf(sentAt) >= staleAfterMs;
    if (isAfterSilence || isHeldBack) throw new EventStreamFault("heartbeats came late");
    heartbeatAt = momentOf(platform);
    watch(staleAfterMs, "heartbeats stopped");
  }

  function take(event: FeedEvent): void {
    if (event.type === "heartbeat") takeHeartbeat(event.sentAt);
    // Only events show that it goes on: comments can be sent for ever.
    else if (heartbeatAt === undefined) watchLoading();
    request.onEvent(event);
    begun.resolve(true);
  }

  async function run(): Promise<FeedEnd> {
    const { signal } = controller;
    try {
      watch(deps.timeoutMs, "the feed did not answer");
      const response = await unlessAborted(deps.fetch(request.url, { ...requestInit(request), signal }), signal);
      const body = acceptResponse(response);
      if ("type" in body) {
        await response.body?.cancel();
        return body;
      }
      watchLoading();
      return await readEvents(body.stream, take, signal);
    } catch (cause) {
      if (silence !== undefined) return { type: "cut", detail: silence };
      if (controller.signal.aborted) return { type: "closed" };
      return { type: "cut", detail: cause instanceof EventStreamFault ? cause.message : "the feed broke off", cause };
    } finally {
      cancelWatch();
      begun.resolve(false);
      // After a fault of ours the issuer would go on sending.
      controller.abort();
    }
  }

  return {
    begun: begun.promise,
    ended: run(),
    wasUpToDate: () => heartbeatAt !== undefined,
    close: () => controller.abort(),
  };
}

/** Reads until the issuer ends the feed. @throws EventStreamFault, the reason of the signal, and what `take` throws. */
async function readEvents(
  body: ReadableStream<Uint8Array>,
  take: (event: FeedEvent) => void,
  signal: AbortSignal,
): Promise<FeedEnd> {
  const reader = body.getReader();
  const parser = createEventStreamParser((event) => {
    const parsed = parseFeedEvent(event);
    if (parsed !== undefined) take(parsed);
  });
  try {
    for (;;) {
      const part = await unlessAborted(reader.read(), signal);
      if (part.done) return { type: "cut", detail: "the issuer ended the feed" };
      parser.push(part.value);
    }
  } finally {
    // Where the signal does not reach the connection, the issuer would go on sending.
    reader.cancel().catch(() => undefined);
  }
}

function requestInit({ token, position }: FeedRequest): RequestInit {
  return {
    headers: {
      accept: "text/event-stream",
      authorization: `Bearer ${token}`,
      ...(position === undefined ? {} : { "last-event-id": position }),
    },
    // As in issuer-requests.ts: an answer that leads elsewhere is no answer.
    redirect: "manual",
  };
}

function acceptResponse(response: Response): FeedEnd | { readonly stream: ReadableStream<Uint8Array> } {
  const { status } = response;
  if (status === 401) return { type: "token_refused" };
  if (status === 429 || status === 503) return { type: "busy", status, retryAfterMs: retryAfterMsOf(response) };
  if (status === 400 || status === 403 || status === 404) {
    return {
      type: "refused",
      error: new VerifierError("revocations_refused", { detail: `the feed answered ${status}` }),
    };
  }
  const isStream = /^text\/event-stream\b/i.test(response.headers.get("content-type") ?? "");
  if (status !== 200 || !isStream || response.body === null) {
    return { type: "cut", detail: `the feed answered ${status}${isStream ? "" : ", and no event stream"}` };
  }
  return { stream: response.body };
}

function retryAfterMsOf(response: Response): number {
  const seconds = Number(response.headers.get("retry-after") ?? "0");
  return Number.isFinite(seconds) && seconds > 0 ? Math.min(seconds * 1_000, RETRY_AFTER_MS_MAX) : 0;
}
