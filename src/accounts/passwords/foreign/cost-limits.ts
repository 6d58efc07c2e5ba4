import type { ForeignHash, ScryptCost } from "./foreign-hash.ts";

/**
 * What one verification may take: a second or two, and 128 MiB, which is what OWASP asks of scrypt. More is refused when
 * it comes in: a single sign-in could otherwise take the memory, or a thread for minutes.
 */
const BCRYPT_COST_MAX = 14;
const PBKDF2_ITERATIONS_MAX = 2_000_000;
const SCRYPT_BLOCKS_MAX = 2 ** 20;
const ARGON2_MEMORY_KIB_MAX = 128 * 1024;
const ARGON2_WORK_KIB_MAX = 1024 * 1024;
const ARGON2_PARALLELISM_MAX = 16;
const ARGON2_SALT_BYTES_MIN = 8;

/** Fewer would be guessed by trying any passwords. */
const HASH_BYTES_MIN = 16;
const HASH_BYTES_MAX = 128;
const SALT_BYTES_MIN = 4;
const SALT_BYTES_MAX = 128;

/** Why a hash is not taken; `undefined` when it is. */
export function costFault(foreign: ForeignHash): string | undefined {
  if (foreign.algorithm === "none") return undefined;
  if (foreign.algorithm === "bcrypt") return bcryptFault(foreign.text);
  if (foreign.algorithm === "argon2") return argon2Fault(foreign.text);
  const fault = foreign.algorithm === "pbkdf2" ? iterationsFault(foreign.iterations) : scryptFault(foreign.cost);
  return digestFault(foreign) ?? fault;
}

function digestFault({ salt, hash }: { readonly salt: Buffer; readonly hash: Buffer }): string | undefined {
  if (hash.length < HASH_BYTES_MIN || hash.length > HASH_BYTES_MAX) {
    return `has a hash that is not of ${HASH_BYTES_MIN} to ${HASH_BYTES_MAX} bytes`;
  }
  if (salt.length >= SALT_BYTES_MIN && salt.length <= SALT_BYTES_MAX) return undefined;
  return `has a salt that is not of ${SALT_BYTES_MIN} to ${SALT_BYTES_MAX} bytes`;
}

function bcryptFault(text: string): string | undefined {
  const [, cost, data] = /^\$2b\$(\d\d)\$([./A-Za-z0-9]{53})$/.exec(text) ?? [];
  if (data === undefined) return "is no bcrypt hash";
  return Number(cost) < 4 || Number(cost) > BCRYPT_COST_MAX
    ? `has a cost that is not 4 to ${BCRYPT_COST_MAX}`
    : undefined;
}

function iterationsFault(iterations: number): string | undefined {
  const isTaken = Number.isInteger(iterations) && iterations >= 1 && iterations <= PBKDF2_ITERATIONS_MAX;
  return isTaken ? undefined : `has iterations that are not 1 to ${PBKDF2_ITERATIONS_MAX}`;
}

/** 128 bytes times N times r are held, and read and written p times. */
function scryptFault({ logN, r, p }: ScryptCost): string | undefined {
  const areWhole = [logN, r, p].every((value) => Number.isInteger(value) && value >= 1 && value <= SCRYPT_BLOCKS_MAX);
  if (!areWhole || 2 ** logN * r * p > SCRYPT_BLOCKS_MAX) return `asks for more than N × r × p = ${SCRYPT_BLOCKS_MAX}`;
  return logN < 16 * r ? undefined : "has an N that is too large for its r";
}

/** The parameters stand in any order. */
const ARGON2 =
  /^\$argon2(?:id|i|d)\$v=(?:16|19)\$((?:[mtp]=\d{1,9},){2}[mtp]=\d{1,9})\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]+)$/;

function argon2Fault(text: string): string | undefined {
  const [, parameters = "", salt = "", hash = ""] = ARGON2.exec(text) ?? [];
  const valueOf = (name: string): number => Number(new RegExp(`(?:^|,)${name}=(\\d+)`).exec(parameters)?.[1]);
  const [memoryKib, passes, parallelism] = [valueOf("m"), valueOf("t"), valueOf("p")];
  if ([memoryKib, passes, parallelism].some(Number.isNaN)) {
    return "is no argon2 hash of the form $argon2id$v=19$m=…,t=…,p=…$salt$hash";
  }
  const isBounded = memoryKib <= ARGON2_MEMORY_KIB_MAX && memoryKib * passes <= ARGON2_WORK_KIB_MAX;
  if (!isBounded || passes < 1)
    return `asks for more than m = ${ARGON2_MEMORY_KIB_MAX}, or m × t = ${ARGON2_WORK_KIB_MAX}`;
  if (parallelism < 1 || parallelism > ARGON2_PARALLELISM_MAX)
    return `has a p that is not 1 to ${ARGON2_PARALLELISM_MAX}`;
  if (memoryKib < 8 * parallelism) return "has an m of less than 8 times its p";
  const octets = { salt: Buffer.from(salt, "base64"), hash: Buffer.from(hash, "base64") };
  return octets.salt.length < ARGON2_SALT_BYTES_MIN
    ? `has a salt of fewer than ${ARGON2_SALT_BYTES_MIN} bytes`
    : digestFault(octets);
}
