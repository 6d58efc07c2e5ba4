import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createConnection } from "node:net";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { inject } from "vitest";

const READY_TIMEOUT_MS = 60_000;

/** `latchkey serve` as a process of its own, as an operator starts it. */
export interface LatchkeyProcess {
  readonly process: ChildProcess;
  /** What it printed so far. */
  output(): string;
  /** Resolves with the exit code; undefined when a signal ended it. */
  readonly exited: Promise<number | undefined>;
}

export interface ProcessOptions {
  /** The folder in which Latchkey is installed. */
  readonly folder: string;
  readonly settings: Readonly<Record<string, string>>;
  readonly args?: readonly string[];
  /** What it reads from its standard input; nothing if it is not said. */
  readonly input?: string;
}

/**
 * Nothing of this process's environment reaches it but the PATH. What Node compiles of a server it keeps for the other
 * processes of the run, each of which would compile it anew.
 */
export function startProcess({ folder, settings, args = ["serve"], input = "" }: ProcessOptions): LatchkeyProcess {
  const child = spawn(process.execPath, ["bin/latchkey.js", ...args], {
    cwd: folder,
    env: { PATH: process.env["PATH"], NODE_COMPILE_CACHE: join(inject("runFolder"), "compiled"), ...settings },
    stdio: ["pipe", "pipe", "pipe"],
  });
  // One that ends without reading it breaks the pipe, and says by its exit code what was wrong.
  child.stdin.on("error", () => undefined).end(input);
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8");
    stream.on("data", (chunk: string) => (output += chunk));
  }
  const exited = once(child, "close").then(([code]: unknown[]) => (typeof code === "number" ? code : undefined));
  return { process: child, output: () => output, exited };
}

/** @throws Error with what the process printed when it ends, or is not ready in time. */
export async function waitUntilReady(server: LatchkeyProcess, port: string): Promise<void> {
  const deadline = Date.now() + READY_TIMEOUT_MS;
  for (;;) {
    const hasEnded = server.process.exitCode !== null || server.process.signalCode !== null;
    if (hasEnded || Date.now() > deadline) throw new Error(`the server is not ready. It printed: ${server.output()}`);
    if (await isReady(port)) return;
    await delay(50);
  }
}

async function isReady(port: string): Promise<boolean> {
  try {
    return (await fetch(`http://127.0.0.1:${port}/health/ready`)).ok;
  } catch {
    return false;
  }
}

/** Whether something listens on this port of loopback. */
export async function isListening(port: string): Promise<boolean> {
  const socket = createConnection(Number(port), "127.0.0.1");
  try {
    await once(socket, "connect");
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
