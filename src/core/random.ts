import { randomBytes } from "node:crypto";

/** `byteCount` bytes of the system's cryptographic randomness. */
export function randomOctets(byteCount: number): Buffer {
  return randomBytes(byteCount);
}

/** A random value of `byteCount` bytes in base64url without padding; 32 bytes give 43 characters and 256 bits. */
export function randomToken(byteCount = 32): string {
  return randomBytes(byteCount).toString("base64url");
}

// No vowels and no look-alikes: a reference is read aloud and typed, and must not spell a word.
const REFERENCE_ALPHABET = "23456789BCDFGHJKLMNPQRTVWXYZ";

/** A short reference such as `7F3K-92QD` that a person can read to an operator. It carries no meaning. */
export function randomReference(): string {
  const letters: string[] = [];
  while (letters.length < 8) {
    for (const octet of randomBytes(16)) {
      // Values past the last whole multiple are dropped, so that every letter is equally likely.
      const isFair = octet < 256 - (256 % REFERENCE_ALPHABET.length);
      if (isFair && letters.length < 8) letters.push(REFERENCE_ALPHABET.charAt(octet % REFERENCE_ALPHABET.length));
    }
  }
  return `${letters.slice(0, 4).join("")}-${letters.slice(4).join("")}`;
}
