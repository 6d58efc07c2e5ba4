import { generateKeyPairSync } from "node:crypto";
import { constants, setPriority } from "node:os";
import { parentPort, workerData } from "node:worker_threads";

/** The program of the thread that makes an RSA key: given its size in bits, it says the private key as a JWK, and ends. */
try {
  // On Linux a priority is a thread's own. Elsewhere it would be that of the whole server.
  if (process.platform === "linux") setPriority(constants.priority.PRIORITY_LOW);
} catch {
  // A sandbox that forbids it gets its key all the same.
}
const { privateKey } = generateKeyPairSync("rsa", { modulusLength: Number(workerData) });
// oxlint-disable-next-line unicorn/require-post-message-target-origin -- a port of threads has no origin
parentPort?.postMessage(privateKey.export({ format: "jwk" }));
