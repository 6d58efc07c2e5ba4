import cluster from "node:cluster";
import { READY } from "./ready-message.ts";

/** Whether this process was started by a supervisor, whose port it shares. */
export const isWorker = cluster.isWorker;

/** What tells this worker's log lines from those of the others; of no process that runs alone. */
export function workerName(): string | undefined {
  return cluster.worker === undefined ? undefined : String(cluster.worker.id);
}

/**
 * Whether each worker listens for itself, on the same port as the others. Where the kernel does not share connections out
 * (macOS), Node's `cluster` has the supervisor listen for all.
 */
export const sharesPort = isWorker && process.platform === "linux";

/** Tells the supervisor that this worker takes requests. */
export function tellReady(): void {
  cluster.worker?.send(READY);
}

/** Lets go of the supervisor, so that nothing keeps this process alive any more. */
export function leaveSupervisor(): void {
  cluster.worker?.disconnect();
}
