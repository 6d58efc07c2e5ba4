import { type KeyObject, sign } from "node:crypto";
import type { Signer } from "./signer.ts";

const INTEGER_BYTES = 32;

/** What a request waits for: the signature of its token. */
interface Job {
  readonly data: Uint8Array;
  readonly resolve: (signature: Buffer) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Signs with a P-256 key on the main thread, and in one go whatever came up in one turn of the event loop.
 *
 * Handing a signature to Node's thread pool, as the library does, costs more of the main thread than making it: 25 µs,
 * if the code and the tables for it are still in the processor's cache, and twice that if they are not. (RSA takes
 * 300 µs and is worth the way.)
 */
export function createEs256Signer(privateKey: KeyObject): Signer {
  let waiting: Job[] = [];

  function signWaiting(): void {
    const jobs = waiting;
    waiting = [];
    for (const { data, resolve, reject } of jobs) {
      try {
        // Asking Node for the form of JWS takes as long again as signing.
        resolve(joinIntegers(sign("sha256", data, privateKey)));
      } catch (error) {
        reject(error);
      }
    }
  }

  return {
    /** The signature in the form of JWS (RFC 7518, section 3.4). */
    sign: (data) =>
      new Promise((resolve, reject) => {
        if (waiting.push({ data, resolve, reject }) === 1) setImmediate(signWaiting);
      }),
  };
}

/** From DER, which is a sequence of two integers, to the two of them in 32 bytes each. */
export function joinIntegers(der: Buffer): Buffer {
  const firstEnd = 4 + der.readUInt8(3);
  const joined = Buffer.alloc(2 * INTEGER_BYTES);
  putInteger(joined, der.subarray(4, firstEnd), INTEGER_BYTES);
  putInteger(joined, der.subarray(firstEnd + 2), 2 * INTEGER_BYTES);
  return joined;
}

/** DER writes an integer without leading zeros, but with one where its first bit would read as a minus. */
function putInteger(target: Buffer, integer: Buffer, end: number): void {
  const excess = integer.length - INTEGER_BYTES;
  integer.copy(target, end - INTEGER_BYTES + Math.max(0, -excess), Math.max(0, excess));
}
