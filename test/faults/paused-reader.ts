import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { VerifierOptions } from "../../src/verifier/index.ts";
import { ordersApi } from "../support/cast.ts";
import type { Deployment } from "./deployment.ts";

/** The orders API as a process that can be stopped from running while others go on. */
export interface Reader {
  /** May be asked while it does not run; it answers when it does. */
  verify(token: string): Promise<string>;
  pause(): void;
  resume(): void;
  close(): Promise<void>;
}

/** Resolves when it is up to date. It asks the node of this process for everything. */
export async function startReader(
  { world, orders }: Deployment,
  options: Pick<VerifierOptions, "onStale" | "staleAfterMs">,
): Promise<Reader> {
  const child = spawn(process.execPath, [join(import.meta.dirname, "reader-process.ts")], {
    env: { PATH: process.env["PATH"] },
    stdio: ["pipe", "pipe", "inherit"],
  });
  const exited = once(child, "close");
  const waiting: ((answer: string) => void)[] = [];
  createInterface({ input: child.stdout }).on("line", (line) => waiting.shift()?.(line));
  void exited.then(() => waiting.splice(0).forEach((answer) => answer("the process ended")));

  const ask = (line: string): Promise<string> =>
    new Promise((resolve) => {
      waiting.push(resolve);
      child.stdin.write(`${line}\n`);
    });
  const settings = {
    issuer: world.latchkey.issuer,
    audience: ordersApi.identifier,
    revocations: "feed",
    client: { id: orders.id, secret: orders.secret ?? "" },
    ...options,
  } satisfies VerifierOptions;
  const first = await ask(JSON.stringify(settings));
  if (first !== "ready") throw new Error(`the reader is not ready: ${first}`);
  return {
    verify: ask,
    pause: () => void child.kill("SIGSTOP"),
    resume: () => void child.kill("SIGCONT"),
    async close() {
      child.kill("SIGCONT");
      child.stdin.end();
      await exited;
    },
  };
}
