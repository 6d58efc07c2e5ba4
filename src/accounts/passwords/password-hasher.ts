import { argon2id, hash, type HashOptions, needsRehash, verify } from "argon2";
import type { Config } from "../../config/index.ts";
import { randomOctets } from "../../core/index.ts";
import type { HashingLoad, HashingQueue } from "./hashing-queue.ts";

const PARALLELISM = 1;
const SALT_BYTES = 16;
const HASH_BYTES = 32;

export interface PasswordHasher {
  /** Hashes with the configured parameters, into the PHC string format. @throws AppError HASHING_BUSY */
  hash(password: string): Promise<string>;
  /**
   * Whether the password is the one that was hashed. `undefined` stands for an account that does not exist: the answer
   * is always no, and costs what it would cost if it existed (ASVS 6.3.8). @throws AppError HASHING_BUSY
   */
  verify(passwordHash: string | undefined, password: string): Promise<boolean>;
  /** Whether the hash was made with other parameters than those configured now. */
  isOutdated(passwordHash: string): boolean;
  load(): HashingLoad;
}

/** Hashes passwords with argon2id. Both directions see the same NFC form: keyboards differ in how they compose "é". */
export function createPasswordHasher(cost: Config["passwordHash"], queue: HashingQueue): PasswordHasher {
  const parameters = { memoryCost: cost.memoryKib, timeCost: cost.passes, parallelism: PARALLELISM };
  const decoy = createDecoy(parameters);
  const options = { ...parameters, type: argon2id, hashLength: HASH_BYTES } satisfies HashOptions;
  return {
    hash: (password) => queue.run(() => hash(toOctets(password), options)),
    verify: (passwordHash, password) => queue.run(() => verify(passwordHash ?? decoy, toOctets(password))),
    load: () => queue.load(),
    isOutdated: (passwordHash) => needsRehash(passwordHash, parameters),
  };
}

function toOctets(password: string): Buffer {
  return Buffer.from(password.normalize("NFC"));
}

/** A well-formed hash of nothing: salt and digest are random, so that no password matches and none had to be hashed. */
function createDecoy(parameters: { memoryCost: number; timeCost: number; parallelism: number }): string {
  const encode = (byteCount: number): string => randomOctets(byteCount).toString("base64").replaceAll("=", "");
  const { memoryCost, timeCost, parallelism } = parameters;
  return `$argon2id$v=19$m=${memoryCost},t=${timeCost},p=${parallelism}$${encode(SALT_BYTES)}$${encode(HASH_BYTES)}`;
}
