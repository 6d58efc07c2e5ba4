import { once } from "node:events";
import { Worker } from "node:worker_threads";
import type { JWK } from "jose";
import { sourceProgram } from "../../core/index.ts";

const BITS = 2_048;
const SCRIPT = sourceProgram("oidc/keys/rsa-key-thread");

/**
 * Makes an RSA key, of 2,048 bits, in a thread of its own with the lowest priority. It takes up to a second of the
 * processor: in Node's thread pool, tokens that are to be signed meanwhile would wait for it.
 *
 * @returns the private key, without `alg` and `kid`.
 */
export async function makeRsaKey(): Promise<JWK> {
  // Without our environment, which holds secrets, and our flags, such as that of a debugger.
  const thread = new Worker(SCRIPT, { workerData: BITS, env: {}, execArgv: [] });
  const ended = once(thread, "exit").then(() => Promise.reject(new Error("the thread that makes a key said nothing")));
  const [privateJwk] = await Promise.race([once(thread, "message"), ended]);
  return privateJwk as JWK;
}
