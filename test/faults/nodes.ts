import { startProcess, waitUntilReady } from "../install/latchkey-process.ts";
import { builtServer } from "../support/built-server.ts";
import { freePort } from "../support/servers.ts";

/** A node of a deployment in a process of its own, so that it can be killed or stopped in the middle of anything. */
export interface FaultyNode {
  /** Where it listens; requests must name the issuer's host. */
  readonly origin: string;
  /** `kill -9`, and a new process in its place on the same port. Resolves when that one is ready. */
  killAndRestart(): Promise<void>;
  /** Asks it to stop (SIGTERM), as a deployment of a new version does, and starts it again. */
  stopAndRestart(): Promise<void>;
  /** Stops it from running (SIGSTOP), as a host that swaps or a virtual machine that moves does. */
  pause(): void;
  /** Sets the clock of one that was started with a movable one (moved-clock-process.ts). */
  stepClock(): void;
  resume(): void;
  /** What the present process has printed so far. */
  output(): string;
  /** Resolves with its exit code; undefined when it did not end by itself. */
  stop(): Promise<number | undefined>;
}

/**
 * It stops at once when it is told to, unless its settings say otherwise.
 *
 * @param folder where its version lies, if it is not ours; what that one knows of settings, only the caller does.
 */
export async function startFaultyNode(
  settings: Readonly<Record<string, string>>,
  folder?: string,
): Promise<FaultyNode> {
  const port = String(await freePort());
  const place =
    folder === undefined
      ? { folder: await builtServer(), settings: { SHUTDOWN_DELAY_SECONDS: "0", ...settings } }
      : { folder, settings };
  const start = () => startProcess({ folder: place.folder, settings: { ...place.settings, PORT: port } });
  let running = start();
  await waitUntilReady(running, port);
  const send = (signal: NodeJS.Signals): void => void running.process.kill(signal);

  async function restartAfter(signal: NodeJS.Signals): Promise<void> {
    send(signal);
    await running.exited;
    running = start();
    await waitUntilReady(running, port);
  }

  return {
    origin: `http://127.0.0.1:${port}`,
    killAndRestart: () => restartAfter("SIGKILL"),
    stopAndRestart: () => restartAfter("SIGTERM"),
    pause: () => send("SIGSTOP"),
    stepClock: () => send("SIGUSR2"),
    resume: () => send("SIGCONT"),
    output: () => running.output(),
    async stop() {
      send("SIGCONT");
      send("SIGTERM");
      return running.exited;
    },
  };
}
