import { AppError, type Clock, joinCallers } from "../../core/index.ts";
import { type Db, guardStore } from "../../storage/index.ts";
import type { ExternalKeys } from "./external-keys.ts";
import { createHeldKeys } from "./held-keys.ts";
import type { ScheduledKey } from "./key-schedule.ts";
import type { KeySeals } from "../../core/index.ts";
import { readSchedule } from "./key-table.ts";

/**
 * For how long a node signs with what it last read. A node that cannot read the table does not hear that its key was
 * retired or withdrawn; after that it signs nothing until it has looked again. Some looks may fail meanwhile; and a
 * retired key stays published for so much longer than its tokens live.
 */
const LEASE_MS = 5_000;

export interface KeyCopyDeps {
  readonly db: Db;
  readonly clock: Clock;
  readonly seals: KeySeals;
  readonly externalKeys: ExternalKeys | undefined;
  /** Told of a key that this node cannot sign with. */
  readonly onUnreadable: (error: AppError) => void;
}

/** What a node has read of the table, and for how long that counts. */
export function createKeyCopy(deps: KeyCopyDeps) {
  const { db, clock } = deps;
  const held = createHeldKeys({ ...deps, authorize });
  const followers: (() => void)[] = [];
  let schedule: readonly ScheduledKey[] = [];
  let confirmedAtMs = -Infinity;
  let hasNews = false;

  const look = joinCallers(async () => {
    // Age counts from the start: what is read may be as old as that.
    const startedAtMs = clock.nowMs();
    const read = await guardStore(() => readSchedule(db));
    hasNews = (await guardStore(() => held.take(read))) || hasNews;
    schedule = read;
    if (hasNews) for (const onChange of followers) onChange();
    hasNews = false;
    confirmedAtMs = startedAtMs;
  });

  function isConfirmed(): boolean {
    const ageMs = clock.nowMs() - confirmedAtMs;
    // A negative age is a clock that was set back, which must not make the lease longer.
    return ageMs >= 0 && ageMs < LEASE_MS;
  }

  async function confirm(): Promise<void> {
    if (!isConfirmed()) await look.join();
  }

  /** Asked before each signature; costs nothing while the lease lasts. */
  function authorize(kid: string): Promise<void> | undefined {
    if (!isConfirmed()) return confirm().then(() => refuseRetired(kid));
    refuseRetired(kid);
    return undefined;
  }

  /** A request may have chosen its key just before it was retired; one that stood still since then did not. */
  function refuseRetired(kid: string): void {
    const key = schedule.find((one) => one.kid === kid);
    if (key?.state === "current") return;
    if (key?.retiredAtMs !== undefined && clock.nowMs() - key.retiredAtMs < LEASE_MS) return;
    throw new AppError("SIGNING_UNAVAILABLE", { detail: `the key ${kid} does not sign`, retryAfterSeconds: 1 });
  }

  return {
    /** Reads the table; who asks while that is under way gets the next reading. */
    look,
    isConfirmed,
    /** Looks, unless that was done a moment ago. @throws AppError STORE_UNAVAILABLE */
    confirm,
    schedule: () => schedule,
    keys: () => held.keys(),
    refuseUnreadable: () => held.refuseUnreadable(),
    follow: (onChange: () => void) => void followers.push(onChange),
  };
}
