import { setTimeout as delay } from "node:timers/promises";
import { PEOPLE, type Scene, type SignedIn } from "./upgrade-scene.ts";

/** With what each step asks for on average, some 50 requests a second. */
const STEP_EVERY_MS = 25;
const SIGN_IN_EVERY_STEPS = 80;

/** What keeps asking, at the same pace however fast the answers come. */
export interface Load {
  /** Every request that did not get what it should. */
  readonly failures: readonly string[];
  stop(): Promise<void>;
}

/** @param signedIn people who are there already; those who sign in meanwhile join them. */
export function startLoad(scene: Scene, signedIn: readonly SignedIn[]): Load {
  const failures: string[] = [];
  const idle = [...signedIn];
  const underway = new Set<Promise<void>>();
  const stop = new AbortController();
  let step = 0;

  function track(name: string, work: Promise<void>): void {
    const tracked = work
      .catch((error: unknown) => void failures.push(`step ${step}, ${name}: ${String(error)}`))
      .finally(() => underway.delete(tracked));
    underway.add(tracked);
  }

  /** An app does one thing at a time for a person. When all are waiting, a service asks instead: the pace is kept. */
  async function withPerson(work: (one: SignedIn) => Promise<void>): Promise<void> {
    const one = idle.shift();
    if (one === undefined) return useOwnToken();
    await work(one).finally(() => idle.push(one));
  }

  async function useOwnToken(): Promise<void> {
    const token = await scene.requestOwnToken();
    await scene.verify(token);
  }

  async function useToken(one: SignedIn): Promise<void> {
    await scene.introspect(one.tokens.accessToken);
    await scene.verify(one.tokens.accessToken);
  }

  const steps = [
    ["refresh", () => withPerson((one) => scene.refresh(one))],
    ["client credentials", useOwnToken],
    ["introspection", () => withPerson(useToken)],
    ["silent sign-in and code", () => withPerson((one) => scene.signInSilently(one))],
  ] as const;

  async function signIn(): Promise<void> {
    const person = PEOPLE[step % PEOPLE.length] ?? PEOPLE[0];
    idle.push(await scene.signIn(person));
  }

  async function run(): Promise<void> {
    const startedAt = performance.now();
    for (; !stop.signal.aborted; step += 1) {
      const [name, work] = steps[step % steps.length] ?? steps[0];
      track(name, work());
      if (step % SIGN_IN_EVERY_STEPS === 0) track("sign-in", signIn());
      await delay(Math.max(0, startedAt + (step + 1) * STEP_EVERY_MS - performance.now()));
    }
  }
  const running = run();

  return {
    failures,
    async stop() {
      stop.abort();
      await running;
      await Promise.all(underway);
    },
  };
}
