import { spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import type { NodeStart } from "./image-start.ts";
import { readUsage, type Usage } from "./usage.ts";

const START_TIMEOUT_MS = 120_000;
const START_POLL_MS = 5;
const STOP_TIMEOUT_MS = 10_000;

/** A server under test, in a process of its own that does nothing else. */
export interface ServerProcess {
  /** From the start of the process until it was ready. */
  readonly readyMs: number;
  usage(): Promise<Usage>;
  stop(): Promise<void>;
}

export interface ServerProcessOptions {
  readonly script: string;
  readonly args: readonly string[];
  /** All that it gets of an environment, but for the PATH and what `start` adds. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Node's defaults when absent. */
  readonly start?: NodeStart;
  /** Answers with a success as soon as the server is ready. */
  readonly readyUrl: string;
}

/** Starts a server as an operator would, and resolves when it is ready. */
export async function startServerProcess(options: ServerProcessOptions): Promise<ServerProcess> {
  const { script, args, settings = {}, start = { flags: [], env: {} }, readyUrl } = options;
  // However the benchmark ends, the kernel ends its servers; setpriv itself makes way for Node.
  const command = ["--pdeathsig", "KILL", process.execPath, ...start.flags, script, ...args];
  const startedAtMs = performance.now();
  const child = spawn("setpriv", command, {
    stdio: ["ignore", "ignore", "inherit"],
    env: { PATH: process.env["PATH"], ...settings, ...start.env },
  });
  await once(child, "spawn");
  const { pid } = child;
  if (pid === undefined) throw new Error("a process has no number");
  const hasEnded = (): boolean => child.exitCode !== null || child.signalCode !== null;

  async function stop(): Promise<void> {
    if (hasEnded()) return;
    const exit = once(child, "exit");
    const forced = setTimeout(() => child.kill("SIGKILL"), STOP_TIMEOUT_MS);
    child.kill("SIGTERM");
    await exit;
    clearTimeout(forced);
  }

  try {
    await waitUntilReady(readyUrl, hasEnded);
  } catch (error) {
    await stop();
    throw error;
  }
  return { readyMs: performance.now() - startedAtMs, usage: () => readUsage(pid), stop };
}

async function waitUntilReady(url: string, hasEnded: () => boolean): Promise<void> {
  const deadline = Date.now() + START_TIMEOUT_MS;
  while (!(await isReady(url))) {
    if (hasEnded()) throw new Error("a server under test ended before it was ready");
    if (Date.now() > deadline) throw new Error("a server under test is not ready in time");
    await delay(START_POLL_MS);
  }
}

async function isReady(url: string): Promise<boolean> {
  try {
    const answer = await fetch(url);
    await answer.arrayBuffer();
    return answer.ok;
  } catch {
    return false;
  }
}
