import { argon2id, hash, type HashOptions, needsRehash, verify } from "argon2";
import type { Config } from "../../config/index.ts";
import { randomOctets } from "../../core/index.ts";
import { decodeForeignHash } from "./foreign/foreign-hash.ts";
import { verifyForeign } from "./foreign/verify-foreign.ts";
import type { HashingLoad, HashingQueue } from "./hashing-queue.ts";

const BCRYPT_BYTES_MAX = 72;
const PARALLELISM = 1;
const SALT_BYTES = 16;
const HASH_BYTES = 32;

export interface PasswordHasher {
  /** Hashes with the configured parameters, into the PHC string format. @throws AppError HASHING_BUSY */
  hash(password: string): Promise<string>;
  /**
   * Whether the password is the one that was hashed, here or in another system. `undefined` stands for an account that
   * does not exist: the answer is always no, and costs what it would cost if it existed (ASVS 6.3.8). A hash that was
   * made in another way than ours of today costs that and its own. @throws AppError HASHING_BUSY
   */
  verify(passwordHash: string | undefined, password: string): Promise<boolean>;
  /**
   * Whether the hash was made in another way than ours of today, and is to be made anew from this password, for which
   * it is right.
   */
  isOutdated(passwordHash: string, password: string): boolean;
  load(): HashingLoad;
}

/** Hashes passwords with argon2id. Both directions see the same NFC form: keyboards differ in how they compose "é". */
export function createPasswordHasher(cost: Config["passwordHash"], queue: HashingQueue): PasswordHasher {
  const parameters = { memoryCost: cost.memoryKib, timeCost: cost.passes, parallelism: PARALLELISM };
  const decoy = createDecoy(parameters);
  const options = { ...parameters, type: argon2id, hashLength: HASH_BYTES } satisfies HashOptions;
  const isCurrent = (passwordHash: string): boolean =>
    passwordHash.startsWith("$argon2id$") && !needsRehash(passwordHash, parameters);

  async function verifyOther(passwordHash: string, password: string): Promise<boolean> {
    const foreign = decodeForeignHash(passwordHash);
    const isRight = foreign !== undefined && (await verifyForeign(foreign, password));
    // Or it would cost less than that of an account that does not exist.
    await verify(decoy, toOctets(password));
    return isRight;
  }

  return {
    hash: (password) => queue.run(() => hash(toOctets(password), options)),
    verify: (passwordHash = decoy, password) =>
      queue.run(() =>
        isCurrent(passwordHash) ? verify(passwordHash, toOctets(password)) : verifyOther(passwordHash, password),
      ),
    load: () => queue.load(),
    isOutdated: (passwordHash, password) => !isCurrent(passwordHash) && !isCutOff(passwordHash, password),
  };
}

/** bcrypt looks at 72 bytes. Of a longer password it does not know the rest, which may be a slip: that must not be kept. */
function isCutOff(passwordHash: string, password: string): boolean {
  return passwordHash.startsWith("$2") && Buffer.byteLength(password) > BCRYPT_BYTES_MAX;
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
