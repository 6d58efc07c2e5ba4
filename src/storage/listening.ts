import { setTimeout as delay } from "node:timers/promises";
import pg from "pg";
import { background } from "../core/index.ts";

const RECONNECT_DELAY_MIN_MS = 100;
const RECONNECT_DELAY_MAX_MS = 1_000;
/** A connection that is dead without having been closed is found out by asking, this often. */
const PROBE_EVERY_MS = 5_000;

/** Somebody who waits for a channel. */
export interface Listener {
  close(): Promise<void>;
}

export interface ListeningOptions {
  readonly settings: pg.ClientConfig;
  readonly channel: string;
  /** Called for every notification, and after every (re)connect, before which some may have been missed. */
  readonly onWake: () => void;
  readonly onConnectionError: (error: Error) => void;
}

/**
 * Listens on a channel of Postgres (LISTEN) over a connection of its own, and connects anew for as long as it takes.
 * A wake is a hint: what happened is read from the tables, and who must not miss it looks there from time to time.
 */
export function listenOnPostgres({ settings, channel, onWake, onConnectionError }: ListeningOptions): Listener {
  let client: pg.Client | undefined;
  let timer: NodeJS.Timeout | undefined;
  let failures = 0;
  let isClosed = false;

  function later(step: () => void, delayMs: number): void {
    clearTimeout(timer);
    if (!isClosed) timer = setTimeout(step, delayMs).unref();
  }

  function connect(): void {
    const mine = new pg.Client(settings);
    client = mine;
    const lose = (error: unknown): void => {
      if (client !== mine) return;
      client = undefined;
      background(mine.end(), () => undefined);
      if (error instanceof Error) onConnectionError(error);
      later(connect, Math.min(RECONNECT_DELAY_MIN_MS * 2 ** failures, RECONNECT_DELAY_MAX_MS));
      failures += 1;
    };
    mine.on("error", lose);
    mine.on("end", () => lose(new Error("the connection that listens has ended")));
    mine.on("notification", onWake);
    background(follow(mine), lose);
  }

  async function follow(mine: pg.Client): Promise<void> {
    await mine.connect();
    await mine.query(`listen ${pg.escapeIdentifier(channel)}`);
    failures = 0;
    for (;;) {
      if (client !== mine) return;
      onWake();
      await delay(PROBE_EVERY_MS, undefined, { ref: false });
      await mine.query("select 1");
    }
  }

  connect();
  return {
    async close() {
      isClosed = true;
      clearTimeout(timer);
      const last = client;
      client = undefined;
      await last?.end().catch(() => undefined);
    },
  };
}
