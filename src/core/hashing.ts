import { hash, timingSafeEqual } from "node:crypto";

/** SHA-256 works on blocks of as many. */
const BLOCK_BYTES = 64;

/** SHA-256 of text (as UTF-8) or bytes. Right for values of 128 random bits or more; never for passwords. */
export function sha256(value: string | Uint8Array): Buffer {
  return hash("sha256", value, "buffer");
}

/**
 * HMAC-SHA-256 (RFC 2104) under a key of at most 64 bytes that is used once; what is used again is an `Authenticator`'s.
 *
 * Put together from two digests, because Node prepares every key for four times as long as both of them take.
 */
export function hmacSha256(key: Uint8Array, message: Uint8Array): Buffer {
  if (key.byteLength > BLOCK_BYTES) throw new RangeError("a key of HMAC has at most 64 bytes here");
  const inner = sha256(Buffer.concat([padded(key, 0x36), message]));
  return sha256(Buffer.concat([padded(key, 0x5c), inner]));
}

function padded(key: Uint8Array, pad: number): Buffer {
  const block = Buffer.alloc(BLOCK_BYTES, pad);
  for (const [at, octet] of key.entries()) block[at] = octet ^ pad;
  return block;
}

/** Compares two byte strings in time that does not depend on where they differ. Unequal lengths are unequal. */
export function equalOctets(left: Uint8Array, right: Uint8Array): boolean {
  return left.byteLength === right.byteLength && timingSafeEqual(left, right);
}
