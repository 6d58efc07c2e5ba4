import { SIGNATURE_ALGORITHMS, type SignatureAlgorithm } from "../../clients/index.ts";
import { AppError, epochSeconds } from "../../core/index.ts";
import { readTokenSecondsMax } from "../../sessions/index.ts";
import { guardStore } from "../../storage/index.ts";
import { changeKeys, type KeyChangeDeps } from "./key-changes.ts";
import {
  decideEmergency,
  decideRotation,
  type KeyState,
  type KeyTransition,
  nextTransitionAtMs,
  type ScheduledKey,
} from "./key-schedule.ts";
import { readSchedule } from "./key-table.ts";
import { type KeyTimes, toSchedule } from "./key-times.ts";

/** A key, as an operator is told of it. */
export interface KeySummary {
  readonly kid: string;
  readonly algorithm: SignatureAlgorithm;
  readonly state: KeyState;
  readonly createdAt: Date;
  readonly activatedAt: Date | undefined;
  readonly retiredAt: Date | undefined;
  /** When it becomes current, stops signing, or goes; absent: not by itself. */
  readonly dueAt: Date | undefined;
}

export interface KeyRotation {
  readonly activated: readonly string[];
  readonly retired: readonly string[];
  readonly withdrawn: readonly string[];
  readonly created: number;
  /** Activated or created as current before services had the time to see them. */
  readonly unseen: readonly SignatureAlgorithm[];
}

/** What operators do with keys. Nodes take it up when it is committed. All @throws AppError STORE_UNAVAILABLE */
export interface SigningKeyCommands {
  list(): Promise<readonly KeySummary[]>;
  /** Makes the next keys current. @throws AppError KEY_NOT_READY while services may not have seen them. */
  rotate(algorithms?: readonly SignatureAlgorithm[]): Promise<KeyRotation>;
  /** Withdraws the current keys, of which somebody else has the private half, and with `nextToo` also the next ones. */
  replace(options: {
    readonly algorithms?: readonly SignatureAlgorithm[] | undefined;
    readonly nextToo: boolean;
  }): Promise<KeyRotation>;
  /**
   * Takes a key away that is next or retired; what it signed is refused.
   *
   * @throws AppError KEY_NOT_FOUND, KEY_IN_USE
   */
  retire(kid: string): Promise<{ readonly kid: string; readonly state: KeyState }>;
}

export interface SigningKeyCommandsDeps extends KeyChangeDeps {
  readonly times: KeyTimes;
}

export function createSigningKeyCommands(deps: SigningKeyCommandsDeps): SigningKeyCommands {
  const { db, clock, times } = deps;

  /** Carries out what `decide` says, and tells of it in the words of the keys as they were. */
  async function change(decide: (keys: readonly ScheduledKey[]) => readonly KeyTransition[]): Promise<KeyRotation> {
    let before: readonly ScheduledKey[] = [];
    const transitions = await changeKeys(deps, {
      cause: "operator",
      async decide(keys) {
        before = keys;
        return decide(keys);
      },
    });
    const seenBeforeMs = clock.nowMs() - times.leadSeconds * 1_000;
    return summarize(transitions, { before, seenBeforeMs });
  }

  return {
    list: () =>
      guardStore(async () => {
        const schedule = toSchedule(times, await readTokenSecondsMax(db, epochSeconds(clock)));
        const keys = await readSchedule(db);
        return keys.toSorted(byAlgorithmAndState).map((key) => ({
          kid: key.kid,
          algorithm: key.algorithm,
          state: key.state,
          createdAt: new Date(key.createdAtMs),
          activatedAt: toDate(key.activatedAtMs),
          retiredAt: toDate(key.retiredAtMs),
          dueAt: toDate(nextTransitionAtMs(key, keys, schedule)),
        }));
      }),
    rotate: (algorithms = SIGNATURE_ALGORITHMS) =>
      change((keys) => {
        const decided = decideRotation(keys, clock.nowMs(), { schedule: toSchedule(times, 0), algorithms });
        if ("transitions" in decided) return decided.transitions;
        const until = new Date(decided.waitUntilMs).toISOString().replace(/\.\d+/, "");
        const detail = `services may not know the next key before ${until}; if the current one got out, say --emergency`;
        throw new AppError("KEY_NOT_READY", { detail });
      }),
    replace: ({ algorithms = SIGNATURE_ALGORITHMS, nextToo }) =>
      change((keys) => decideEmergency(keys, { algorithms, nextToo })),
    async retire(kid) {
      let state: KeyState | undefined;
      await change((keys) => {
        const key = keys.find((one) => one.kid === kid);
        if (key === undefined) throw new AppError("KEY_NOT_FOUND");
        if (key.state === "current") {
          throw new AppError("KEY_IN_USE", { detail: "rotate it, or replace it by rotate --emergency if it got out" });
        }
        state = key.state;
        return [
          { type: "withdraw", kid },
          ...(key.state === "next" ? [{ type: "create", algorithm: key.algorithm, state: "next" } as const] : []),
        ];
      });
      if (state === undefined) throw new AppError("KEY_NOT_FOUND");
      return { kid, state };
    },
  };
}

function summarize(
  transitions: readonly KeyTransition[],
  { before, seenBeforeMs }: { readonly before: readonly ScheduledKey[]; readonly seenBeforeMs: number },
): KeyRotation {
  const activations = transitions.filter((one) => one.type === "activate");
  const creations = transitions.filter((one) => one.type === "create");
  const unseen = new Set(before.filter(({ createdAtMs }) => createdAtMs > seenBeforeMs).map(({ kid }) => kid));
  return {
    activated: activations.map(({ kid }) => kid),
    retired: activations.flatMap(({ retires }) => retires ?? []),
    withdrawn: transitions.flatMap((one) => (one.type === "withdraw" ? [one.kid] : [])),
    created: creations.length,
    unseen: [
      ...activations.filter(({ kid }) => unseen.has(kid)).flatMap(({ kid }) => algorithmOf(before, kid)),
      ...creations.filter(({ state }) => state === "current").map(({ algorithm }) => algorithm),
    ],
  };
}

const STATES: readonly KeyState[] = ["current", "next", "retired"];

function byAlgorithmAndState(left: ScheduledKey, right: ScheduledKey): number {
  const byAlgorithm = SIGNATURE_ALGORITHMS.indexOf(left.algorithm) - SIGNATURE_ALGORITHMS.indexOf(right.algorithm);
  return (
    byAlgorithm || STATES.indexOf(left.state) - STATES.indexOf(right.state) || right.createdAtMs - left.createdAtMs
  );
}

function algorithmOf(keys: readonly ScheduledKey[], kid: string): readonly SignatureAlgorithm[] {
  const key = keys.find((one) => one.kid === kid);
  return key === undefined ? [] : [key.algorithm];
}

function toDate(ms: number | undefined): Date | undefined {
  return ms === undefined ? undefined : new Date(ms);
}
