/**
 * The servers that run on one database, and what each of them says of itself.
 *
 * Every server writes a row every few seconds (`node-beats.ts`): its version, a fingerprint of its configuration
 * (`fingerprint.ts`), its clock, its keys and what it sees of the proxy. Who falls silent is forgotten, by the database's
 * clock (`running-nodes.ts`). `doctor` compares the rows.
 *
 * Invariants: no secret, and nothing that came with a request, is in a row; nobody who asks for something waits for one
 * to be written; a node that cannot write it goes on.
 */
export { takeFingerprint } from "./fingerprint.ts";
export { createNodeBeats, type NodeBeats } from "./node-beats.ts";
export type { NodeReport, RunningNode } from "./node-report.ts";
export { createRunningNodes, type RunningNodes } from "./running-nodes.ts";
export { readVersion } from "./version.ts";
