import type { KeyObject } from "node:crypto";
import type { SignatureAlgorithm } from "../../clients/index.ts";
import { AppError } from "../../core/index.ts";

/**
 * Where keys lie whose private half never comes here: a KMS, an HSM. A deployment's own code provides it, and gives it
 * to `compose`; new keys are then made there. Keys that were made before sign on until they are rotated.
 *
 * Every call may take its time and may fail. What it may take, and what a failure means to a request, is ours to say.
 */
export interface ExternalKeys {
  /** Makes a key pair. The reference is kept in the database and names it from then on: it must not be a secret. */
  create(algorithm: SignatureAlgorithm): Promise<ExternalKey>;
  /** A signature over `data` in the form of JWS (RFC 7518): for ES256 two numbers of 32 bytes, and no DER. */
  sign(
    key: { readonly reference: string; readonly algorithm: SignatureAlgorithm },
    data: Uint8Array,
  ): Promise<Uint8Array>;
  /** The key will not be used again. It is not asked twice if it fails. */
  forget(reference: string): Promise<void>;
}

export interface ExternalKey {
  readonly reference: string;
  readonly publicKey: KeyObject;
}

/** What of theirs a request or the schedule waits for. @throws AppError SIGNING_UNAVAILABLE when it takes longer, or fails. */
export async function withDeadline<Result>(task: Promise<Result>, ms: number): Promise<Result> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error(`no answer within ${ms} ms`)), ms);
  try {
    return await Promise.race([task, late]);
  } catch (cause) {
    const detail = "the keys that lie elsewhere cannot be reached";
    throw new AppError("SIGNING_UNAVAILABLE", { detail, retryAfterSeconds: 2, cause });
  } finally {
    clearTimeout(timer);
  }
}
