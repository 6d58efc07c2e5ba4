import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import type { NodeStart } from "./image-start.ts";

const START_TIMEOUT_MS = 120_000;
const STOP_TIMEOUT_MS = 10_000;

/** What a server process has used since it started. */
export interface Usage {
  /** User and system time of all its threads. */
  readonly cpuMicroseconds: number;
  readonly residentBytes: number;
}

export interface ChildServer<Ready> {
  /** What the worker said when it was ready. */
  readonly ready: Ready;
  usage(): Promise<Usage>;
  stop(): Promise<void>;
}

type Answer<Ready> = { readonly ready: Ready } | { readonly usage: Usage };

export interface ChildServerOptions {
  /** Handed to the script as JSON, in its only argument. */
  readonly options: object;
  /** Node's defaults when absent. */
  readonly start?: NodeStart;
}

/** Starts `script` in a Node process of its own. */
export async function startChildServer<Ready>(
  script: string,
  { options, start = { flags: [], env: {} } }: ChildServerOptions,
): Promise<ChildServer<Ready>> {
  const child = fork(script, [JSON.stringify(options)], {
    stdio: ["ignore", "ignore", "inherit", "ipc"],
    execArgv: [...start.flags],
    env: { ...process.env, ...start.env },
  });
  const first = await nextAnswer<Ready>(child);
  if (!("ready" in first)) throw new Error(`${script} spoke before it was ready`);
  return {
    ready: first.ready,
    async usage() {
      child.send("usage");
      const answer = await nextAnswer<Ready>(child);
      if (!("usage" in answer)) throw new Error(`${script} did not say what it used`);
      return answer.usage;
    },
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const exit = once(child, "exit");
      const forced = setTimeout(() => child.kill("SIGKILL"), STOP_TIMEOUT_MS);
      child.disconnect();
      await exit;
      clearTimeout(forced);
    },
  };
}

async function nextAnswer<Ready>(child: ChildProcess): Promise<Answer<Ready>> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer<Ready>>();
  const onMessage = (message: unknown): void => resolve(message as Answer<Ready>);
  const onExit = (code: number | null): void => reject(new Error(`a server under test exited with ${code}`));
  const timer = setTimeout(() => reject(new Error("a server under test does not answer")), START_TIMEOUT_MS);
  child.once("message", onMessage);
  child.once("exit", onExit);
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
    child.off("message", onMessage);
    child.off("exit", onExit);
  }
}

/** The worker's side: reads its options, starts, tells the parent, and answers what it has used. */
export async function runChildServer<Ready>(start: (options: unknown) => Promise<Ready>): Promise<void> {
  const ready = await start(JSON.parse(process.argv[2] ?? "{}"));
  process.on("message", () => process.send?.({ usage: readUsage() }));
  // How the parent stops it, and why a worker never outlives the benchmark, however that ends.
  process.on("disconnect", () => process.exit(0));
  process.send?.({ ready });
}

function readUsage(): Usage {
  const { user, system } = process.cpuUsage();
  return { cpuMicroseconds: user + system, residentBytes: process.memoryUsage.rss() };
}
