/**
 * Several processes of one server on one machine, behind one port (`latchkey serve --workers N`).
 *
 * `supervisor.ts` runs in the process that was started: it starts the others, replaces one that ends, and stops them
 * all. It opens no store and answers no request of people. Each worker is a whole node, as if it ran on a machine of its
 * own.
 */
export { isWorker, leaveSupervisor, sharesPort, tellReady, workerName } from "./worker.ts";
export { superviseWorkers } from "./supervisor.ts";
