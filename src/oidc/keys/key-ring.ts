import type { Audit } from "../../audit/index.ts";
import { SIGNATURE_ALGORITHMS } from "../../clients/index.ts";
import { background, type Clock, createKeySeals, epochSeconds, joinCallers } from "../../core/index.ts";
import { readTokenSecondsMax, type Revocations } from "../../sessions/index.ts";
import { type Database, type Db, guardStore, type Listener } from "../../storage/index.ts";
import type { ExternalKeys } from "./external-keys.ts";
import { changeKeys, type KeyChange } from "./key-changes.ts";
import { createKeyCopy } from "./key-copy.ts";
import { decideTransitions, type KeySchedule, type ScheduledKey } from "./key-schedule.ts";
import { KEYS_CHANNEL } from "./key-table.ts";
import { resealKeys } from "./reseal-keys.ts";
import { type KeyTimes, toSchedule } from "./key-times.ts";
import type { TokenKey } from "./token-key.ts";

const LOOK_EVERY_MS = 1_000;

/** The keys that sign our tokens, as one node has them: in memory, following the table. */
export interface KeyRing {
  /** Makes the keys that are missing, loads all, and follows from then on. @throws AppError STORE_UNAVAILABLE, SECRET_UNKNOWN */
  start(): Promise<void>;
  /** What is published and signed with, for the library. */
  readonly keys: readonly TokenKey[];
  /** Called whenever `keys` are other ones. */
  follow(onChange: () => void): void;
  /** Whether what is here was so in the table a moment ago. */
  isConfirmed(): boolean;
  /** Looks at the table, unless that was done a moment ago. @throws AppError STORE_UNAVAILABLE */
  confirm(): Promise<void>;
  /** Seals keys anew that were sealed under other secrets than ours. */
  reseal(): Promise<void>;
  close(): Promise<void>;
}

export interface KeyRingDeps {
  readonly database: Pick<Database, "db" | "followingDb" | "listen">;
  readonly clock: Clock;
  readonly secrets: readonly string[];
  readonly audit: Audit;
  readonly revocations: Pick<Revocations, "append">;
  readonly times: KeyTimes;
  readonly externalKeys?: ExternalKeys | undefined;
  /** Told when looking, a transition or opening a key begins to fail; not of every failure that follows. */
  readonly reportFailure: (error: unknown, what: string) => void;
  readonly lookEveryMs?: number;
}

/**
 * Every node looks at the table when it is woken, and once a second in any case, and makes the transition that is due;
 * one of them comes first (`key-changes.ts`). So no node is special, and what one that dies leaves undone the next does.
 */
export function createKeyRing(deps: KeyRingDeps): KeyRing {
  const { database, clock, times, externalKeys, lookEveryMs = LOOK_EVERY_MS } = deps;
  const seals = createKeySeals(deps.secrets, "signing-key");
  const report = reportOnce(deps.reportFailure);
  let looking: NodeJS.Timeout | undefined;
  let listener: Listener | undefined;
  let isClosed = false;
  const copy = createKeyCopy({
    db: database.followingDb,
    clock,
    seals,
    externalKeys,
    onUnreadable: (error) => report.failed("opening a signing key", error),
  });

  /** What is due, on the schedule and on how long tokens live by now. */
  async function decide(keys: readonly ScheduledKey[], db: Db) {
    const tokenSeconds = keys.some(({ state }) => state === "retired")
      ? await readTokenSecondsMax(db, epochSeconds(clock))
      : 0;
    const known: KeySchedule = toSchedule(times, tokenSeconds);
    return decideTransitions(keys, clock.nowMs(), { schedule: known, algorithms: SIGNATURE_ALGORITHMS });
  }

  const change: KeyChange = { cause: "schedule", decide };

  const tend = joinCallers(async () => {
    if ((await guardStore(() => decide(copy.schedule(), database.followingDb))).length === 0) return;
    await changeKeys({ ...deps, db: database.db, seals, externalKeys }, change);
    // Another node may have been quicker.
    await copy.look();
  });

  /** Never fails: what fails is reported, and tried again at the next look. */
  async function lookAndTend(): Promise<void> {
    const steps = [
      ["looking at the signing keys", () => copy.look()],
      ["rotating the signing keys", () => tend.join()],
    ] as const;
    for (const [what, step] of steps) {
      if (isClosed) return;
      try {
        await step();
        report.succeeded(what);
      } catch (error) {
        report.failed(what, error);
        return;
      }
    }
  }

  const inBackground = (): void => background(lookAndTend(), () => undefined);

  return {
    async start() {
      await copy.look();
      await tend();
      copy.refuseUnreadable();
      listener = database.listen(KEYS_CHANNEL, inBackground);
      looking = setInterval(inBackground, lookEveryMs).unref();
    },
    get keys() {
      return copy.keys();
    },
    follow: copy.follow,
    isConfirmed: copy.isConfirmed,
    confirm: copy.confirm,
    reseal: () => resealKeys(database.db, seals),
    async close() {
      isClosed = true;
      clearInterval(looking);
      await listener?.close();
      await tend.settled();
      await copy.look.settled();
    },
  };
}

/** One line when something begins to fail, and none for every second that follows. */
function reportOnce(reportFailure: (error: unknown, what: string) => void) {
  const failing = new Set<string>();
  return {
    succeeded: (what: string) => void failing.delete(what),
    failed(what: string, error: unknown) {
      if (!failing.has(what)) reportFailure(error, what);
      failing.add(what);
    },
  };
}
