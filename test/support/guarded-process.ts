import { spawn } from "node:child_process";
import { once } from "node:events";

/**
 * Waits for the end of its standard input, which is the end of whoever started it however that came about (Ctrl-C, a
 * crash, kill -9), then stops the server by its own process id and removes its folder.
 */
const GUARD = `
"$@" &
server=$!
read -r _
kill -"$GUARD_SIGNAL" "$server" 2>/dev/null
wait "$server"
rm -rf "$GUARD_FOLDER"
`;

const OUTPUT_MAX_CHARACTERS = 4_000;

export interface GuardedOptions {
  readonly command: string;
  readonly args: readonly string[];
  /** Temporary; removed when the server has stopped. */
  readonly folder: string;
  readonly stopSignal: "TERM" | "QUIT";
  /** Whom to run as; the same as this process when absent. */
  readonly user?: { readonly uid: number; readonly gid: number };
}

export interface GuardedProcess {
  /** The end of what the server printed, to explain why it did not start. */
  output(): string;
  stop(): Promise<void>;
}

/** Starts a server that cannot outlive this process. */
export function startGuarded(options: GuardedOptions): GuardedProcess {
  const child = spawn("/bin/sh", ["-c", GUARD, "guard", options.command, ...options.args], {
    cwd: options.folder,
    // A session of its own: Ctrl-C in the terminal reaches us, and we stop the server in order.
    detached: true,
    env: {
      PATH: process.env["PATH"],
      LC_ALL: "C",
      GUARD_SIGNAL: options.stopSignal,
      GUARD_FOLDER: options.folder,
    },
    stdio: ["pipe", "pipe", "pipe"],
    ...options.user,
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8");
    stream.on("data", (chunk: string) => (output = (output + chunk).slice(-OUTPUT_MAX_CHARACTERS)));
  }
  return {
    output: () => output,
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const hasExited = once(child, "exit");
      child.stdin.end();
      await hasExited;
    },
  };
}
