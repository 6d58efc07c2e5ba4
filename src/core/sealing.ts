import { createCipheriv, createDecipheriv, createHmac, createSecretKey, hkdfSync, type KeyObject } from "node:crypto";
import { equalOctets } from "./hashing.ts";
import { randomOctets } from "./random.ts";

const FORMAT_VERSION = 1;
const KEY_ID_BYTES = 4;
const IV_BYTES = 12;
const TAG_BYTES = 16;
const HEADER_BYTES = 1 + KEY_ID_BYTES + IV_BYTES;

/** What a sealed value is for. It is part of the key, so that a value sealed for one purpose opens for no other. */
export type SealingPurpose =
  | "signing-key"
  | "authorization-request"
  | "factor-secret"
  | "mail"
  | "audit-key"
  | "webhook-secret";

/**
 * Seals small values with AES-256-GCM under keys derived from `LATCHKEY_SECRET`.
 *
 * Layout: version (1 byte), key id (4), IV (12), ciphertext, tag (16). The key id names the secret that sealed the
 * value, so that values sealed under an older secret of the list still open.
 */
export interface Sealer {
  /** `context` (an id, say) is authenticated but not stored: a value moved to another row does not open. */
  seal(purpose: SealingPurpose, plaintext: Uint8Array, context?: string): Buffer;
  /** `undefined` when the value was not sealed for this purpose and context by any secret of the list. */
  open(purpose: SealingPurpose, sealed: Uint8Array, context?: string): Buffer | undefined;
  /** Whether the value was sealed by an older secret than the newest and should be sealed again. */
  isStale(sealed: Uint8Array): boolean;
}

/** Signs cookies with HMAC-SHA-256; the newest secret signs, every secret of the list verifies. */
export interface CookieSigner {
  sign(value: string): string;
  verify(value: string, signature: string): boolean;
  /** Koa asks which key signed a cookie in order to sign it again; 0 means "leave it", -1 "unknown". */
  index(value: string, signature: string): number;
}

/** Keyed digests for values that a page sends back to us, such as CSRF tokens. */
export interface Authenticator {
  /** Base64url digest of `value` for `purpose`, under the newest secret. */
  digest(purpose: string, value: string): string;
  verify(purpose: string, value: string, digest: string): boolean;
}

function deriveOctets(secret: string, info: string, byteCount: number): Buffer {
  return Buffer.from(hkdfSync("sha256", secret, "latchkey/v1", info, byteCount));
}

/** A key object, which is prepared once; plain bytes would be prepared anew at each use, for most of its time. */
function deriveKey(secret: string, info: string): KeyObject {
  return createSecretKey(deriveOctets(secret, info, 32));
}

/** @param secrets the values of `LATCHKEY_SECRET`, newest first, each of 32 bytes or more. */
export function createSealer(secrets: readonly string[]): Sealer {
  const keyring = secrets.map((secret) => ({
    id: deriveOctets(secret, "key-id", KEY_ID_BYTES),
    keys: new Map<SealingPurpose, KeyObject>(),
    secret,
  }));
  const newest = keyring[0];
  if (newest === undefined) throw new Error("a sealer needs at least one secret");

  function keyFor(entry: (typeof keyring)[number], purpose: SealingPurpose): KeyObject {
    const key = entry.keys.get(purpose) ?? deriveKey(entry.secret, `seal:${purpose}`);
    entry.keys.set(purpose, key);
    return key;
  }

  return {
    seal(purpose, plaintext, context = "") {
      const iv = randomOctets(IV_BYTES);
      const header = Buffer.concat([Buffer.from([FORMAT_VERSION]), newest.id, iv]);
      const cipher = createCipheriv("aes-256-gcm", keyFor(newest, purpose), iv);
      cipher.setAAD(Buffer.concat([header, Buffer.from(context)]));
      return Buffer.concat([header, cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]);
    },
    open(purpose, sealed, context = "") {
      const value = Buffer.from(sealed);
      if (value.length < HEADER_BYTES + TAG_BYTES || value[0] !== FORMAT_VERSION) return undefined;
      const keyId = value.subarray(1, 1 + KEY_ID_BYTES);
      const entry = keyring.find(({ id }) => id.equals(keyId));
      if (entry === undefined) return undefined;
      const header = value.subarray(0, HEADER_BYTES);
      const decipher = createDecipheriv("aes-256-gcm", keyFor(entry, purpose), header.subarray(1 + KEY_ID_BYTES));
      decipher.setAAD(Buffer.concat([header, Buffer.from(context)]));
      decipher.setAuthTag(value.subarray(value.length - TAG_BYTES));
      try {
        return Buffer.concat([
          decipher.update(value.subarray(HEADER_BYTES, value.length - TAG_BYTES)),
          decipher.final(),
        ]);
      } catch {
        return undefined;
      }
    },
    isStale: (sealed) =>
      !Buffer.from(sealed)
        .subarray(1, 1 + KEY_ID_BYTES)
        .equals(newest.id),
  };
}

/** @param secrets the values of `LATCHKEY_SECRET`, newest first. */
export function createAuthenticator(secrets: readonly string[]): Authenticator {
  const keys = secrets.map((secret) => deriveKey(secret, "authenticate"));
  const digestWith = (key: KeyObject, purpose: string, value: string): Buffer =>
    createHmac("sha256", key).update(`${purpose}\0${value}`).digest();
  return {
    digest(purpose, value) {
      const newest = keys[0];
      if (newest === undefined) throw new Error("an authenticator needs at least one secret");
      return digestWith(newest, purpose, value).toString("base64url");
    },
    verify(purpose, value, digest) {
      const given = Buffer.from(digest, "base64url");
      return keys.some((key) => equalOctets(digestWith(key, purpose, value), given));
    },
  };
}

/** @param secrets the values of `LATCHKEY_SECRET`, newest first. */
export function createCookieSigner(secrets: readonly string[]): CookieSigner {
  const authenticator = createAuthenticator(secrets);
  const isSigned = (value: string, signature: string): boolean => authenticator.verify("cookie", value, signature);
  return {
    sign: (value) => authenticator.digest("cookie", value),
    verify: isSigned,
    // Never 1 or more: the library would answer by setting the signature again with a path of its own choosing.
    index: (value, signature) => (isSigned(value, signature) ? 0 : -1),
  };
}
