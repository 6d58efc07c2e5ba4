import { createCipheriv } from "node:crypto";

const KEY_BYTES = 32;
const IV = Buffer.alloc(16);

/** How a Firebase project hashes, as its console shows it. */
export interface FirebaseParameters {
  readonly signerKey: Buffer;
  readonly saltSeparator: Buffer;
  readonly rounds: number;
  readonly memoryCost: number;
}

/**
 * Firebase derives a key from the password with scrypt, and its hash is the project's signer key encrypted under that
 * key in counter mode. Such a cipher adds a key stream to what it encrypts: with the signer key at hand the stream can
 * be taken out of the hash, once, and is what is compared from then on. So the signer key need not be kept.
 */
export function keyStreamOf(hash: Buffer, signerKey: Buffer): Buffer {
  return Buffer.from(hash.map((octet, at) => octet ^ (signerKey[at] ?? 0)));
}

/** The key stream that a derived key makes. */
export function makeKeyStream(derived: Buffer, byteCount: number): Buffer {
  return createCipheriv("aes-256-ctr", derived.subarray(0, KEY_BYTES), IV).update(Buffer.alloc(byteCount));
}

export const FIREBASE_DERIVED_BYTES = 64;
