import { background, type Clock, epochSeconds, joinCallers } from "../core/index.ts";
import type { Database, Listener } from "../storage/index.ts";
import type { RevocableToken } from "../verifier/index.ts";
import { createLivingRevocations } from "./living-revocations.ts";
import { readPage, type Revocation } from "./revocation-page.ts";
import { REVOCATIONS_CHANNEL } from "./revocations.ts";

/** What is read at once; a reading goes on until it has everything. */
const PAGE_RECORDS = 5_000;
const LOOK_EVERY_MS = 1_000;
const FORGET_EVERY_SECONDS = 10;

/** Who is told of what the log reads. */
export interface LogFollower {
  /** What was committed since, in ascending order. `oldestAgeMs`: how long ago the first of it was written. */
  onRecords(records: readonly Revocation[], oldestAgeMs: number): void;
  /** The look of this second has just succeeded: `lastId` is the last id that was committed. */
  onLook(): void;
  /** The table has lost what it had: the database was restored. Positions in it mean nothing any more. */
  onHistoryLost(): void;
}

/** One node's copy of the living records, in commit order; follows the table. */
export interface RevocationLog {
  /** Loads what there is, and follows from then on. @throws AppError STORE_UNAVAILABLE */
  start(): Promise<void>;
  /**
   * Reads what was committed until now, by other nodes too: one short query, whatever the number of callers.
   *
   * @throws AppError STORE_UNAVAILABLE
   */
  catchUp(): Promise<void>;
  /** As of the last reading. Everything is revoked until there was one, and while a record is of an unknown kind. */
  isRevoked(token: RevocableToken): boolean;
  follow(follower: LogFollower): void;
  /** The last committed id that this node has read of. */
  readonly lastId: number;
  /** Every living record with a greater id is here. */
  readonly keptAfterId: number;
  /** The next living records after `id`, ascending. */
  listAfter(id: number, recordsMax: number): readonly Revocation[];
  close(): Promise<void>;
}

export interface RevocationLogDeps {
  readonly database: Pick<Database, "followingDb" | "listen">;
  readonly clock: Clock;
  /** Told when looking begins to fail; not of every failure that follows. */
  readonly reportFailure: (error: unknown) => void;
  readonly lookEveryMs?: number;
}

export function createRevocationLog(deps: RevocationLogDeps): RevocationLog {
  const { database, clock, reportFailure, lookEveryMs = LOOK_EVERY_MS } = deps;
  const now = (): number => epochSeconds(clock);
  const copy = createTableCopy(database, now);
  const catchUp = joinCallers(copy.read);
  let isFailing = false;
  let isClosed = false;
  let looking: NodeJS.Timeout | undefined;
  let listener: Listener | undefined;

  async function look(): Promise<void> {
    copy.forgetExpired();
    try {
      await catchUp();
      isFailing = false;
    } catch (error) {
      if (!isFailing) reportFailure(error);
      isFailing = true;
      return;
    }
    if (!isClosed) for (const follower of copy.followers) follower.onLook();
  }

  function wake(): void {
    // A failure shows again, and is reported, at the next look.
    if (!isClosed) background(catchUp(), () => undefined);
  }

  return {
    catchUp,
    async start() {
      await catchUp();
      listener = database.listen(REVOCATIONS_CHANNEL, wake);
      looking = setInterval(() => background(look(), reportFailure), lookEveryMs).unref();
    },
    isRevoked: (token) => !copy.isComplete || copy.living.isRevoked(token, now()),
    follow: (follower) => void copy.followers.push(follower),
    get lastId() {
      return copy.lastId;
    },
    get keptAfterId() {
      return copy.keptAfterId;
    },
    listAfter: (id, recordsMax) => copy.living.listAfter(id, recordsMax),
    async close() {
      isClosed = true;
      clearInterval(looking);
      await listener?.close();
      await catchUp.settled();
    },
  };
}

/** What this node has read of the table, and where it goes on. */
function createTableCopy(database: Pick<Database, "followingDb">, now: () => number) {
  const living = createLivingRevocations();
  const followers: LogFollower[] = [];
  const copy = { living, followers, lastId: 0, keptAfterId: 0, isComplete: false, read, forgetExpired };
  let hasLostHistory = false;
  let forgottenAt = 0;
  return copy;

  async function read(): Promise<void> {
    for (;;) {
      const { lastId, records, oldestAgeMs } = await readPage(database.followingDb, {
        after: copy.lastId,
        now: now(),
        recordsMax: PAGE_RECORDS,
      });
      if (lastId < copy.lastId) {
        loseHistory();
        continue;
      }
      take(records, oldestAgeMs);
      if (records.length < PAGE_RECORDS) return finish(lastId);
    }
  }

  function take(records: readonly Revocation[], oldestAgeMs: number): void {
    const last = records.at(-1);
    if (last === undefined) return;
    living.add(records);
    copy.lastId = last.id;
    for (const follower of followers) follower.onRecords(records, oldestAgeMs);
  }

  function finish(lastId: number): void {
    copy.lastId = lastId;
    if (copy.isComplete) return;
    copy.isComplete = true;
    copy.keptAfterId = hasLostHistory ? lastId : (living.firstId ?? lastId + 1) - 1;
  }

  function loseHistory(): void {
    living.forgetOrder();
    copy.lastId = 0;
    copy.isComplete = false;
    hasLostHistory = true;
    for (const follower of followers) follower.onHistoryLost();
  }

  function forgetExpired(): void {
    if (now() - forgottenAt < FORGET_EVERY_SECONDS) return;
    forgottenAt = now();
    copy.keptAfterId = Math.max(copy.keptAfterId, living.forgetExpired(forgottenAt) ?? 0);
  }
}
