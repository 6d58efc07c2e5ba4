import { randomBytes, randomFillSync } from "node:crypto";

/** Asking the system costs the same for 16 bytes as for a few thousand, so it is asked for a stock of them. */
const STOCK_BYTES = 4_096;
const stock = Buffer.alloc(STOCK_BYTES);
let used = STOCK_BYTES;

/** `byteCount` bytes of the system's cryptographic randomness, given out once and then forgotten. */
export function randomOctets(byteCount: number): Buffer {
  if (byteCount > STOCK_BYTES) return randomBytes(byteCount);
  if (used + byteCount > STOCK_BYTES) {
    randomFillSync(stock);
    used = 0;
  }
  const octets = Buffer.from(stock.subarray(used, used + byteCount));
  stock.fill(0, used, used + byteCount);
  used += byteCount;
  return octets;
}

/** A random value of `byteCount` bytes in base64url without padding; 32 bytes give 43 characters and 256 bits. */
export function randomToken(byteCount = 32): string {
  return randomOctets(byteCount).toString("base64url");
}

// No vowels and no look-alikes: a reference is read aloud and typed, and must not spell a word.
const REFERENCE_ALPHABET = "23456789BCDFGHJKLMNPQRTVWXYZ";

/** A short reference such as `7F3K-92QD` that a person can read to an operator. It carries no meaning. */
export function randomReference(): string {
  const letters: string[] = [];
  while (letters.length < 8) {
    for (const octet of randomOctets(16)) {
      // Values past the last whole multiple are dropped, so that every letter is equally likely.
      const isFair = octet < 256 - (256 % REFERENCE_ALPHABET.length);
      if (isFair && letters.length < 8) letters.push(REFERENCE_ALPHABET.charAt(octet % REFERENCE_ALPHABET.length));
    }
  }
  return `${letters.slice(0, 4).join("")}-${letters.slice(4).join("")}`;
}
