import type { SignatureAlgorithm } from "../../clients/index.ts";

/** *Next*: published, not signing. *Current*: signing, one an algorithm. *Retired*: published, not signing any more. */
export type KeyState = "next" | "current" | "retired";

/** What the schedule knows of a key. Times are milliseconds since the Unix epoch. */
export interface ScheduledKey {
  readonly kid: string;
  readonly algorithm: SignatureAlgorithm;
  readonly state: KeyState;
  /** Published from then on. */
  readonly createdAtMs: number;
  readonly activatedAtMs: number | undefined;
  readonly retiredAtMs: number | undefined;
}

export interface KeySchedule {
  /** How long a key signs; 0: until somebody rotates it. */
  readonly rotationMs: number;
  /** How long a key is published at least before it signs, so that no service meets a token of a key it cannot find. */
  readonly leadMs: number;
  /** How long a retired key stays published: until the last token that it signed has expired. */
  readonly retiredMs: number;
}

/** One step of a key. Steps come in an order in which no algorithm ever has two current keys, or two that are next. */
export type KeyTransition =
  | { readonly type: "withdraw"; readonly kid: string }
  | { readonly type: "activate"; readonly kid: string; readonly retires: string | undefined }
  | { readonly type: "create"; readonly algorithm: SignatureAlgorithm; readonly state: "next" | "current" }
  | { readonly type: "delete"; readonly kid: string };

interface KeysOfAlgorithm {
  readonly algorithm: SignatureAlgorithm;
  readonly current: ScheduledKey | undefined;
  readonly next: ScheduledKey | undefined;
}

function keysOf(keys: readonly ScheduledKey[], algorithm: SignatureAlgorithm): KeysOfAlgorithm {
  const inState = (state: KeyState) => keys.find((key) => key.algorithm === algorithm && key.state === state);
  return { algorithm, current: inState("current"), next: inState("next") };
}

/**
 * What is due now. A deployment without any keys begins with a current one for each algorithm. An algorithm that comes
 * to it later gets one that is next, and signs nothing until services have had the time to see it.
 */
export function decideTransitions(
  keys: readonly ScheduledKey[],
  nowMs: number,
  { schedule, algorithms }: { readonly schedule: KeySchedule; readonly algorithms: readonly SignatureAlgorithm[] },
): readonly KeyTransition[] {
  const isNew = keys.length === 0;
  return [
    ...algorithms.flatMap((algorithm) => {
      const own = keysOf(keys, algorithm);
      if (isNew) return begin(algorithm);
      const dueAtMs = activationAtMs(own, schedule);
      if (dueAtMs !== undefined && dueAtMs <= nowMs) return activate(own);
      return own.next === undefined ? [create(algorithm, "next")] : [];
    }),
    ...keys
      .filter((key) => (deletionAtMs(key, schedule) ?? Infinity) <= nowMs)
      .map(({ kid }): KeyTransition => ({ type: "delete", kid })),
  ];
}

/** What rotates these algorithms now, or until when it has to wait. */
export function decideRotation(
  keys: readonly ScheduledKey[],
  nowMs: number,
  { schedule, algorithms }: { readonly schedule: KeySchedule; readonly algorithms: readonly SignatureAlgorithm[] },
): { readonly transitions: readonly KeyTransition[] } | { readonly waitUntilMs: number } {
  const all = algorithms.map((algorithm) => keysOf(keys, algorithm));
  // One that is not there yet is published from now on.
  const readyAtMs = Math.max(...all.map(({ next }) => (next?.createdAtMs ?? nowMs) + schedule.leadMs));
  return readyAtMs > nowMs ? { waitUntilMs: readyAtMs } : { transitions: all.flatMap(activate) };
}

/**
 * What takes the current keys of these algorithms out of use this instant, because they got out. The next key takes
 * over, however short it has been published; if it got out as well, one that nobody has seen yet.
 */
export function decideEmergency(
  keys: readonly ScheduledKey[],
  { algorithms, nextToo }: { readonly algorithms: readonly SignatureAlgorithm[]; readonly nextToo: boolean },
): readonly KeyTransition[] {
  return algorithms.flatMap((algorithm): readonly KeyTransition[] => {
    const { current, next } = keysOf(keys, algorithm);
    if (next === undefined || nextToo) return [...withdraw(current), ...withdraw(next), ...begin(algorithm)];
    return [...withdraw(current), { type: "activate", kid: next.kid, retires: undefined }, create(algorithm, "next")];
  });
}

/** When a key becomes another one's successor, stops signing, or goes; `undefined`: not by itself. */
export function nextTransitionAtMs(
  key: ScheduledKey,
  keys: readonly ScheduledKey[],
  schedule: KeySchedule,
): number | undefined {
  return key.state === "retired" ? deletionAtMs(key, schedule) : activationAtMs(keysOf(keys, key.algorithm), schedule);
}

function activationAtMs({ current, next }: KeysOfAlgorithm, { rotationMs, leadMs }: KeySchedule): number | undefined {
  if (next === undefined) return undefined;
  const readyAtMs = next.createdAtMs + leadMs;
  if (current === undefined) return readyAtMs;
  return rotationMs === 0
    ? undefined
    : Math.max(readyAtMs, (current.activatedAtMs ?? current.createdAtMs) + rotationMs);
}

function deletionAtMs({ state, retiredAtMs }: ScheduledKey, { retiredMs }: KeySchedule): number | undefined {
  return state === "retired" && retiredAtMs !== undefined ? retiredAtMs + retiredMs : undefined;
}

function begin(algorithm: SignatureAlgorithm): readonly KeyTransition[] {
  return [create(algorithm, "current"), create(algorithm, "next")];
}

function activate({ algorithm, current, next }: KeysOfAlgorithm): readonly KeyTransition[] {
  if (next === undefined) return [];
  return [{ type: "activate", kid: next.kid, retires: current?.kid }, create(algorithm, "next")];
}

function create(algorithm: SignatureAlgorithm, state: "next" | "current"): KeyTransition {
  return { type: "create", algorithm, state };
}

function withdraw(key: ScheduledKey | undefined): readonly KeyTransition[] {
  return key === undefined ? [] : [{ type: "withdraw", kid: key.kid }];
}
