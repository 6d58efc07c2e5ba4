import { expect, test } from "vitest";
import { SIGNATURE_ALGORITHMS } from "../../clients/index.ts";
import {
  decideEmergency,
  decideRotation,
  decideTransitions,
  type KeySchedule,
  type KeyTransition,
  nextTransitionAtMs,
  type ScheduledKey,
} from "./key-schedule.ts";

const algorithms = SIGNATURE_ALGORITHMS;
const schedule: KeySchedule = { rotationMs: 90_000, leadMs: 600, retiredMs: 14_000 };
const only = { schedule, algorithms: ["ES256"] } as const;

const key = (kid: string, more: Partial<ScheduledKey>): ScheduledKey => ({
  kid,
  algorithm: "ES256",
  state: "current",
  createdAtMs: 0,
  activatedAtMs: undefined,
  retiredAtMs: undefined,
  ...more,
});
const current = key("one", { activatedAtMs: 0 });
const next = key("two", { state: "next", createdAtMs: 0 });

test("a deployment without keys begins with two for each algorithm, one of which signs at once", () => {
  const expected = algorithms.flatMap((algorithm) => [
    { type: "create", algorithm, state: "current" },
    { type: "create", algorithm, state: "next" },
  ]);
  expect(decideTransitions([], 0, { schedule, algorithms })).toEqual(expected);
});

test("an algorithm that comes later is published first, and signs when services have had the time to see it", () => {
  const settings = { schedule, algorithms: ["ES256", "EdDSA"] } as const;
  const keys = [current, next];
  expect(decideTransitions(keys, 5, settings)).toEqual([{ type: "create", algorithm: "EdDSA", state: "next" }]);
  const young = key("young", { algorithm: "EdDSA", state: "next", createdAtMs: 5 });
  expect(decideTransitions([...keys, young], 604, settings)).toEqual([]);
  expect(decideTransitions([...keys, young], 605, settings)).toEqual([
    { type: "activate", kid: "young", retires: undefined },
    { type: "create", algorithm: "EdDSA", state: "next" },
  ]);
});

test("the next key takes over when the current one is old enough, and not a moment before", () => {
  expect(decideTransitions([current, next], 89_999, only)).toEqual([]);
  expect(decideTransitions([current, next], 90_000, only)).toEqual([
    { type: "activate", kid: "two", retires: "one" },
    { type: "create", algorithm: "ES256", state: "next" },
  ]);
});

test("a next key that is too young keeps the current one signing, however old that is", () => {
  const young = { ...next, createdAtMs: 100_000 };
  expect(decideTransitions([current, young], 100_599, only)).toEqual([]);
  expect(decideTransitions([current, young], 100_600, only)).toHaveLength(2);
});

test("a retired key goes when its last token has expired, and not a moment before", () => {
  const keys = [key("old", { state: "retired", retiredAtMs: 1_000 }), current, next];
  expect(decideTransitions(keys, 14_999, only)).toEqual([]);
  expect(decideTransitions(keys, 15_000, only)).toEqual([{ type: "delete", kid: "old" }]);
});

test("without a period nothing rotates by itself, and what is missing is made all the same", () => {
  const byHand = { ...only, schedule: { ...schedule, rotationMs: 0 } };
  expect(decideTransitions([current, next], 1e12, byHand)).toEqual([]);
  expect(decideTransitions([current], 1e12, byHand)).toHaveLength(1);
  expect(nextTransitionAtMs(current, [current, next], byHand.schedule)).toBeUndefined();
});

test("by hand keys rotate at any age of the current one, and until the next may sign they wait", () => {
  expect(decideRotation([current, next], 600, only)).toEqual({
    transitions: [
      { type: "activate", kid: "two", retires: "one" },
      { type: "create", algorithm: "ES256", state: "next" },
    ],
  });
  expect(decideRotation([current, next], 599, only)).toEqual({ waitUntilMs: 600 });
  expect(decideRotation([current], 5, only)).toEqual({ waitUntilMs: 605 });
  expect(decideRotation([current, next], 600, { schedule, algorithms })).toEqual({ waitUntilMs: 1_200 });
});

test("in an emergency the current key is withdrawn, not retired, and another one signs at once", () => {
  const settings = { algorithms: only.algorithms, nextToo: false };
  expect(decideEmergency([current, next], settings)).toEqual([
    { type: "withdraw", kid: "one" },
    { type: "activate", kid: "two", retires: undefined },
    { type: "create", algorithm: "ES256", state: "next" },
  ]);
  const afresh = [
    { type: "create", algorithm: "ES256", state: "current" },
    { type: "create", algorithm: "ES256", state: "next" },
  ];
  expect(decideEmergency([current], settings)).toEqual([{ type: "withdraw", kid: "one" }, ...afresh]);
  expect(decideEmergency([current, next], { ...settings, nextToo: true })).toEqual([
    { type: "withdraw", kid: "one" },
    { type: "withdraw", kid: "two" },
    ...afresh,
  ]);
});

test("an operator reads when each key does its next step", () => {
  const keys = [current, next, key("old", { state: "retired", retiredAtMs: 1_000 })];
  expect(keys.map((one) => nextTransitionAtMs(one, keys, schedule))).toEqual([90_000, 90_000, 15_000]);
});

/** Numbers that look random and are the same in every run. */
function createDice(seed: number): (sides: number) => number {
  let state = seed;
  return (sides) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * sides);
  };
}

interface IssuedToken {
  readonly kid: string;
  readonly expiresAtMs: number;
}

/** What the table does with a transition; it refuses what the table would. */
function apply(keys: Map<string, ScheduledKey>, transition: KeyTransition, nowMs: number): void {
  const change = (kid: string, from: ScheduledKey["state"], values: Partial<ScheduledKey>): void => {
    const found = keys.get(kid);
    if (found?.state !== from) throw new Error(`${kid} is ${found?.state}, and not ${from}`);
    keys.set(kid, { ...found, ...values });
  };
  switch (transition.type) {
    case "create": {
      const kid = `${transition.algorithm} ${transition.state} ${nowMs}`;
      if (keys.has(kid)) throw new Error(`${kid} is there`);
      const activatedAtMs = transition.state === "current" ? nowMs : undefined;
      keys.set(kid, key(kid, { ...transition, createdAtMs: nowMs, activatedAtMs }));
      return;
    }
    case "activate":
      if (transition.retires !== undefined)
        change(transition.retires, "current", { state: "retired", retiredAtMs: nowMs });
      change(transition.kid, "next", { state: "current", activatedAtMs: nowMs });
      return;
    case "delete":
    case "withdraw":
      if (!keys.delete(transition.kid)) throw new Error(`${transition.kid} is not there`);
      return;
    default:
      transition satisfies never;
  }
}

test.each(Array.from({ length: 15 }, (_, seed) => seed))(
  "whenever nodes look, and whatever operators do, every token is of a key that caches have, until it expires (%i)",
  (seed) => {
    const dice = createDice(seed);
    const times: KeySchedule = { rotationMs: 500 + dice(2_000), leadMs: 50 + dice(400), retiredMs: 100 + dice(1_000) };
    const settings = { schedule: times, algorithms };
    const keys = new Map<string, ScheduledKey>();
    let tokens: IssuedToken[] = [];
    let nowMs = 1_000;
    const isFirst = (one: ScheduledKey): boolean => one.createdAtMs === 1_000;
    for (let round = 0; round < 200; round += 1) {
      // Nodes that look often, that sleep, or that were all away for a while; and an operator now and then.
      for (const transition of decideTransitions([...keys.values()], nowMs, settings)) apply(keys, transition, nowMs);
      const byHand = dice(10) === 0 ? decideRotation([...keys.values()], nowMs, settings) : undefined;
      const wished = byHand !== undefined && "transitions" in byHand ? byHand.transitions : [];
      for (const transition of wished) apply(keys, transition, nowMs);
      for (const algorithm of algorithms) {
        const own = [...keys.values()].filter((one) => one.algorithm === algorithm);
        const [signing, ...more] = own.filter(({ state }) => state === "current");
        expect(more).toEqual([]);
        expect(own.filter(({ state }) => state === "next")).toHaveLength(1);
        expect(signing).toBeDefined();
        if (signing === undefined) return;
        // Nobody has a key set from before the first keys.
        const publishedMs = isFirst(signing) ? Infinity : nowMs - signing.createdAtMs;
        expect(publishedMs).toBeGreaterThanOrEqual(times.leadMs);
        tokens.push({ kid: signing.kid, expiresAtMs: nowMs + 1 + dice(times.retiredMs) });
      }
      tokens = tokens.filter(({ expiresAtMs }) => expiresAtMs > nowMs);
      expect(tokens.filter(({ kid }) => !keys.has(kid))).toEqual([]);
      nowMs += dice(dice(20) === 0 ? 3_000 : 100);
    }
    expect(keys.size).toBeLessThan(algorithms.length * 40);
  },
);
