import { setTimeout as delay } from "node:timers/promises";
import type { Cable } from "../../support/cable.ts";
import { times } from "../counts.ts";
import type { WiredNode } from "../deployment.ts";
import type { PersistentRedis } from "../persistent-redis.ts";
import type { Random } from "./random.ts";
import type { Scene } from "./scene.ts";

const FAULT_MS_MAX = times({ short: 1_500, full: 4_000 });
const CALM_MS_MAX = 800;
/** A node whose stores are away at its start may give up; somebody starts it again. */
const STARTS_MAX = 20;

/** What was broken, in words, for whoever reads a history that went wrong. */
export interface InjectedFault {
  readonly what: string;
  readonly startMs: number;
  readonly endMs: number;
}

/** Something to break, and how it is mended. */
interface Fault {
  readonly what: string;
  begin(): unknown;
  end(): unknown;
}

export interface InjectorDeps {
  readonly scene: Scene;
  readonly redis: PersistentRedis | undefined;
}

/** Breaks processes, and at the same time wires, one after the other; mends everything before it resolves. */
export async function injectFaults(deps: InjectorDeps, random: Random): Promise<readonly InjectedFault[]> {
  const faults = await Promise.all([
    injectInTurns(deps.scene, random.fork(), (next) => anyProcessFault(deps, next)),
    injectInTurns(deps.scene, random.fork(), (next) => anyWireFault(deps, next)),
  ]);
  return faults.flat();
}

async function injectInTurns(
  scene: Scene,
  random: Random,
  draw: (random: Random) => Fault,
): Promise<readonly InjectedFault[]> {
  const injected: InjectedFault[] = [];
  while (scene.goesOn()) {
    await delay(random.below(CALM_MS_MAX));
    const fault = draw(random);
    const startMs = scene.recorder.now();
    await fault.begin();
    try {
      await delay(random.below(FAULT_MS_MAX));
    } finally {
      await fault.end();
    }
    injected.push({ what: fault.what, startMs, endMs: scene.recorder.now() });
  }
  return injected;
}

function anyProcessFault({ scene, redis }: InjectorDeps, random: Random): Fault {
  const { nodes } = scene.deployment;
  const place = random.below(nodes.length);
  const node = nodes[place];
  if (node === undefined) throw new Error("there are no nodes");
  const restart = (how: "killAndRestart" | "stopAndRestart", what: string): Fault => ({
    what: `node ${place} ${what}`,
    begin: () => untilStarted(() => node[how]()),
    end: () => undefined,
  });
  const faults: [Fault, ...Fault[]] = [
    restart("killAndRestart", "was killed"),
    restart("stopAndRestart", "was stopped in order"),
    { what: `node ${place} was paused`, begin: () => node.pause(), end: () => node.resume() },
  ];
  if (redis !== undefined && random.isIn(0.25)) {
    return { what: "Redis restarted", begin: () => redis.stop(), end: () => redis.start() };
  }
  return random.pick(faults);
}

async function untilStarted(start: () => Promise<void>): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await start();
    } catch (error) {
      if (attempt >= STARTS_MAX) throw error;
      await delay(200);
    }
  }
}

function anyWireFault({ scene }: InjectorDeps, random: Random): Fault {
  const { nodes } = scene.deployment;
  const wires: { readonly name: string; readonly cable: Cable }[] = [
    ...nodes.flatMap((node, place) => wiresOf(node, place)),
    ...scene.services.map(({ name, feed }) => ({ name: `the feed of ${name}`, cable: feed })),
  ];
  const wire = wires[random.below(wires.length)];
  if (wire === undefined) throw new Error("there are no wires");
  const { name, cable } = wire;
  const how = random.pick<"cut" | "stall">(["cut", "stall"]);
  return { what: `${name}: ${how}`, begin: () => cable[how](), end: () => cable.mend() };
}

function wiresOf({ postgres, redis }: WiredNode, place: number) {
  const ofPostgres = { name: `from node ${place} to Postgres`, cable: postgres };
  return redis === undefined ? [ofPostgres] : [ofPostgres, { name: `from node ${place} to Redis`, cable: redis }];
}
