import type { IncomingMessage, ServerResponse } from "node:http";
import { createDeferred } from "./deferred.ts";
import { systemPlatform } from "./platform.ts";
import type { RevocationRecord } from "./revoked-set.ts";

/** One reader of the fake feed, as the issuer sees it. */
export interface FakeConnection {
  readonly lastEventId: string | undefined;
  readonly audience: string | null;
  readonly token: string;
  reset(): void;
  send(id: number): void;
  /** `sentAt` in seconds since the epoch; now, when left out. */
  beat(sentAt?: number): void;
  write(text: string): void;
  /** As a network does it: no farewell. */
  cut(): void;
  /** As the issuer does it. */
  end(): void;
  readonly closed: Promise<void>;
}

/** Speaks the feed of `docs/revocation-feed.md`, and misbehaves when it is told to. */
export interface FakeFeed {
  /** Commits a record; readers get it unless they are scripted. Returns its id. */
  revoke(record: Partial<RevocationRecord> & { readonly kind: string; readonly value: string }): number;
  /** Ids up to this one are no longer kept: whoever resumes before starts anew. */
  forgetUpTo(id: number): void;
  /** As after the restoration of an old database. */
  restart(): void;
  setBeating(isBeating: boolean): void;
  /** Takes the place of the ordinary behavior for connections that come from now on. */
  behave(behavior: ((connection: FakeConnection) => void) | undefined): void;
  /** Connections that come from now on do nothing by themselves; resolves to the first. */
  scriptNext(): Promise<FakeConnection>;
  /** Answers with a status instead of a stream, from now on. */
  refuse(status: number | undefined, retryAfter?: string): void;
  /** The connection that comes `number`th, counted from 1; may be awaited before it comes. */
  connection(number: number): Promise<FakeConnection>;
  readonly connectionCount: number;
  open(request: IncomingMessage, response: ServerResponse): void;
  stop(): void;
}

const BEAT_MS = 20;
export const FAR_AWAY = 10_000_000_000;

interface FeedState {
  readonly records: Map<number, RevocationRecord>;
  /** Those that ordinary behavior is for. */
  readonly followers: Set<FakeConnection>;
  readonly connections: ReturnType<typeof createDeferred<FakeConnection>>[];
  lastId: number;
  keptAfter: number;
  isBeating: boolean;
  count: number;
  refusal: { readonly status: number; readonly retryAfter: string | undefined } | undefined;
  behavior: ((connection: FakeConnection) => void) | undefined;
}

/** One revocation as it is sent. */
export function frameOf(id: number, record: Readonly<Record<string, unknown>>): string {
  return `event: revocation\nid: ${id}\ndata: ${JSON.stringify(record)}\n\n`;
}

function connect(request: IncomingMessage, response: ServerResponse, state: FeedState): FakeConnection {
  const closed = createDeferred<void>();
  response.once("close", () => closed.resolve());
  const write = (text: string): void => void response.write(text);
  return {
    lastEventId: request.headers["last-event-id"]?.toString(),
    audience: new URL(request.url ?? "/", "http://localhost").searchParams.get("audience"),
    token: (request.headers.authorization ?? "").replace("Bearer ", ""),
    reset: () => write("event: reset\ndata: {}\n\n"),
    send: (id) => write(frameOf(id, { ...state.records.get(id) })),
    beat(sentAt = systemPlatform.nowMs() / 1_000) {
      write(`event: heartbeat\nid: ${state.lastId}\ndata: ${JSON.stringify({ sentAt })}\n\n`);
    },
    write,
    cut: () => response.destroy(),
    end: () => void response.end(),
    closed: closed.promise,
  };
}

/** What a sound issuer does. */
function follow(connection: FakeConnection, state: FeedState): void {
  const after = Number(connection.lastEventId ?? Number.NaN);
  const resumes = after >= state.keptAfter && after <= state.lastId;
  if (!resumes) connection.reset();
  for (const id of state.records.keys()) if (!resumes || id > after) connection.send(id);
  if (state.isBeating) connection.beat();
  state.followers.add(connection);
  void connection.closed.then(() => state.followers.delete(connection));
}

function open(request: IncomingMessage, response: ServerResponse, state: FeedState): void {
  state.count += 1;
  const { refusal, count } = state;
  if (refusal !== undefined) {
    if (refusal.retryAfter !== undefined) response.setHeader("retry-after", refusal.retryAfter);
    response.writeHead(refusal.status).end();
    return;
  }
  response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-store" });
  response.flushHeaders();
  const connection = connect(request, response, state);
  if (state.behavior === undefined) follow(connection, state);
  else state.behavior(connection);
  connectionAt(count, state).resolve(connection);
}

function connectionAt(number: number, { connections }: FeedState) {
  connections[number] ??= createDeferred<FakeConnection>();
  return connections[number];
}

export function createFakeFeed(): FakeFeed {
  const records = new Map<number, RevocationRecord>();
  const flags = { lastId: 0, keptAfter: 0, isBeating: true, count: 0, refusal: undefined, behavior: undefined };
  const state: FeedState = { records, followers: new Set(), connections: [], ...flags };
  const beating = setInterval(() => {
    if (state.isBeating) for (const connection of state.followers) connection.beat();
  }, BEAT_MS);

  return {
    revoke(record) {
      // Gaps are ordinary.
      state.lastId += 2;
      records.set(state.lastId, { expiresAt: FAR_AWAY, ...record });
      for (const connection of state.followers) connection.send(state.lastId);
      return state.lastId;
    },
    forgetUpTo(id) {
      state.keptAfter = id;
    },
    restart() {
      records.clear();
      state.lastId = 0;
    },
    setBeating(isBeating) {
      state.isBeating = isBeating;
    },
    behave(behavior) {
      state.behavior = behavior;
    },
    scriptNext: async () =>
      await new Promise((resolve) => {
        state.behavior = resolve;
      }),
    refuse(status, retryAfter) {
      state.refusal = status === undefined ? undefined : { status, retryAfter };
    },
    connection: async (number) => await connectionAt(number, state).promise,
    get connectionCount() {
      return state.count;
    },
    open: (request, response) => open(request, response, state),
    stop: () => clearInterval(beating),
  };
}
