import { hash, timingSafeEqual } from "node:crypto";

/** SHA-256 of text (as UTF-8) or bytes. Right for values of 128 random bits or more; never for passwords. */
export function sha256(value: string | Uint8Array): Buffer {
  return hash("sha256", value, "buffer");
}

/** Compares two byte strings in time that does not depend on where they differ. Unequal lengths are unequal. */
export function equalOctets(left: Uint8Array, right: Uint8Array): boolean {
  return left.byteLength === right.byteLength && timingSafeEqual(left, right);
}
