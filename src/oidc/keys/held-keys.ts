import type { JWK } from "jose";
import { SIGNATURE_ALGORITHMS } from "../../clients/index.ts";
import { AppError } from "../../core/index.ts";
import type { Db } from "../../storage/index.ts";
import { type ExternalKeys, withDeadline } from "./external-keys.ts";
import type { ScheduledKey } from "./key-schedule.ts";
import type { KeySeals } from "../../core/index.ts";
import { type KeyMaterial, readMaterial } from "./key-table.ts";
import { createLocalSigner } from "./local-signer.ts";
import type { Signer } from "./signer.ts";
import { TokenKey } from "./token-key.ts";

/** Every wait of a request has an end. */
const EXTERNAL_SIGNATURE_MS_MAX = 2_000;

export interface HeldKeysDeps {
  readonly db: Db;
  readonly seals: KeySeals;
  readonly externalKeys: ExternalKeys | undefined;
  /** Refuses a signature, at once or when it has asked. */
  readonly authorize: (kid: string) => Promise<void> | undefined;
  /** Told of a key that this node cannot sign with, once. */
  readonly onUnreadable: (error: AppError) => void;
}

interface HeldKey {
  readonly material: Pick<KeyMaterial, "kid" | "publicKey">;
  /** Absent: it cannot be opened, or is retired. */
  readonly signer: Signer | undefined;
}

/**
 * Keys in memory. One that is next is opened when it appears, so that nothing has to be read or opened when it becomes
 * current.
 */
export function createHeldKeys(deps: HeldKeysDeps) {
  let held: ReadonlyMap<string, HeldKey> = new Map();
  let scheduled: readonly ScheduledKey[] = [];
  let tokenKeys: readonly TokenKey[] = [];

  async function hold(key: ScheduledKey, material: KeyMaterial): Promise<HeldKey> {
    const { kid, publicKey } = material;
    const signer = key.state === "retired" ? undefined : openKey(deps, key, material);
    if (signer === undefined && key.state !== "retired") deps.onUnreadable(unreadable(key));
    return { material: { kid, publicKey }, signer };
  }

  function toTokenKey(key: ScheduledKey): readonly TokenKey[] {
    const found = held.get(key.kid);
    if (found === undefined) return [];
    const { kid, algorithm } = key;
    const { signer, material } = found;
    // Where there is no current one the next is asked, and refuses: so that a request learns to come back.
    const isAsked = key.state === "current" || (key.state === "next" && !hasCurrent(scheduled, key));
    const sign = isAsked ? (data: Uint8Array) => signWith(deps, key, { signer, data }) : undefined;
    return [new TokenKey({ kid, algorithm, publicKey: material.publicKey, sign })];
  }

  return {
    keys: () => tokenKeys,
    /** Takes over what the table says. Resolves with whether that is anything new. */
    async take(read: readonly ScheduledKey[]): Promise<boolean> {
      const usable = read.filter(({ algorithm }) => SIGNATURE_ALGORITHMS.includes(algorithm)).toSorted(byPublication);
      if (describe(usable) === describe(scheduled)) return false;
      // One that could not be opened may have been sealed anew since.
      const unknown = usable.filter(
        ({ kid, state }) => !held.has(kid) || (state !== "retired" && held.get(kid)?.signer === undefined),
      );
      const materials =
        unknown.length === 0
          ? []
          : await readMaterial(
              deps.db,
              unknown.map(({ kid }) => kid),
            );
      const next = new Map<string, HeldKey>();
      for (const key of usable) {
        const material = materials.find(({ kid }) => kid === key.kid);
        const one = material === undefined ? held.get(key.kid) : await hold(key, material);
        // One that vanished in between is missing at the next look as well.
        if (one !== undefined) next.set(key.kid, key.state === "retired" ? { ...one, signer: undefined } : one);
      }
      held = next;
      scheduled = usable;
      tokenKeys = usable.flatMap(toTokenKey);
      return true;
    },
    /** @throws AppError SECRET_UNKNOWN when this node could not sign. */
    refuseUnreadable(): void {
      const lost = scheduled.find(({ kid, state }) => state === "current" && held.get(kid)?.signer === undefined);
      if (lost !== undefined) throw unreadable(lost);
    },
  };
}

/** In the same order on every node. */
function byPublication(left: ScheduledKey, right: ScheduledKey): number {
  const order = SIGNATURE_ALGORITHMS.indexOf(left.algorithm) - SIGNATURE_ALGORITHMS.indexOf(right.algorithm);
  return order || left.createdAtMs - right.createdAtMs || (left.kid < right.kid ? -1 : 1);
}

function describe(keys: readonly ScheduledKey[]): string {
  return keys.map(({ kid, state }) => `${kid} ${state}`).join();
}

function hasCurrent(keys: readonly ScheduledKey[], { algorithm }: ScheduledKey): boolean {
  return keys.some((key) => key.algorithm === algorithm && key.state === "current");
}

function openKey(deps: HeldKeysDeps, { algorithm }: ScheduledKey, material: KeyMaterial): Signer | undefined {
  const { kid, externalReference: reference, sealedPrivateJwk: sealed } = material;
  if (reference !== undefined) {
    const { externalKeys } = deps;
    if (externalKeys === undefined) return undefined;
    const sign: Signer["sign"] = (data) =>
      withDeadline(externalKeys.sign({ reference, algorithm }, data), EXTERNAL_SIGNATURE_MS_MAX);
    return { sign };
  }
  const opened = sealed === undefined ? undefined : deps.seals.open(kid, sealed);
  return opened === undefined ? undefined : createLocalSigner(algorithm, JSON.parse(opened.toString("utf8")) as JWK);
}

function signWith(
  { authorize }: HeldKeysDeps,
  key: ScheduledKey,
  { signer, data }: { readonly signer: Signer | undefined; readonly data: Uint8Array },
): Promise<Uint8Array> {
  if (signer === undefined) return Promise.reject(new AppError("SIGNING_UNAVAILABLE", { cause: unreadable(key) }));
  try {
    const asked = authorize(key.kid);
    return asked === undefined ? signer.sign(data) : asked.then(() => signer.sign(data));
  } catch (refusal) {
    return Promise.reject(refusal);
  }
}

function unreadable({ kid, algorithm }: ScheduledKey): AppError {
  return new AppError("SECRET_UNKNOWN", {
    detail: `no secret in LATCHKEY_SECRET opens the signing keys (${algorithm} ${kid}); put back the one that this database was used with`,
  });
}
