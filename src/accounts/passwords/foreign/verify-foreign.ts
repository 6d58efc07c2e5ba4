import { pbkdf2, scrypt } from "node:crypto";
import { promisify } from "node:util";
import { verify as verifyArgon2 } from "argon2";
import { compare as compareBcrypt } from "bcrypt";
import { equalOctets } from "../../../core/index.ts";
import { FIREBASE_DERIVED_BYTES, makeKeyStream } from "./firebase.ts";
import type { ForeignHash, ScryptCost } from "./foreign-hash.ts";

const derivePbkdf2 = promisify(pbkdf2);
const SCRYPT_MEMORY_MAX_BYTES = 160 * 1024 * 1024;

/**
 * Whether this is the password that another system hashed. Runs in Node's thread pool, which the caller bounds; what a
 * hash may cost was bounded when it came in.
 *
 * Others do not normalize what is typed: a keyboard that composes "é" in another way than NFC has led to another hash
 * there, so that what was typed is tried as it is, too.
 */
export async function verifyForeign(foreign: ForeignHash, password: string): Promise<boolean> {
  for (const spelling of new Set([password, password.normalize("NFC")])) {
    if (await verifySpelling(foreign, Buffer.from(spelling))) return true;
  }
  return false;
}

async function verifySpelling(foreign: ForeignHash, octets: Buffer): Promise<boolean> {
  if (foreign.algorithm === "none") return false;
  if (foreign.algorithm === "bcrypt") return compareBcrypt(octets, foreign.text);
  if (foreign.algorithm === "argon2") return verifyArgon2(foreign.text, octets);
  return equalOctets(await derive(foreign, octets), foreign.hash);
}

type Derived = Exclude<ForeignHash, { readonly algorithm: "none" | "bcrypt" | "argon2" }>;

async function derive(foreign: Derived, octets: Buffer): Promise<Buffer> {
  const { salt, hash } = foreign;
  if (foreign.algorithm === "pbkdf2") {
    return derivePbkdf2(octets, salt, foreign.iterations, hash.length, foreign.digest);
  }
  if (foreign.algorithm === "scrypt") return deriveScrypt(octets, foreign, hash.length);
  return makeKeyStream(await deriveScrypt(octets, foreign, FIREBASE_DERIVED_BYTES), hash.length);
}

function deriveScrypt(
  octets: Buffer,
  { salt, cost: { logN, r, p } }: { readonly salt: Buffer; readonly cost: ScryptCost },
  byteCount: number,
): Promise<Buffer> {
  const options = { N: 2 ** logN, r, p, maxmem: SCRYPT_MEMORY_MAX_BYTES };
  return new Promise((resolve, reject) => {
    scrypt(octets, salt, byteCount, options, (error, derived) => (error === null ? resolve(derived) : reject(error)));
  });
}
