import { generateURI, ScureBase32Plugin } from "otplib";
import { AppError, randomOctets, type Sealer } from "../../core/index.ts";
import type { TotpEnrollment } from "../factors.ts";

/** 160 bits, as long as the digest (RFC 4226, section 4). */
const SECRET_BYTES = 20;
const PURPOSE = "factor-secret";

/** The secret of a device as it is stored: sealed, and good in the row of this device only. */
export interface SealedSecret {
  readonly deviceId: string;
  readonly sealed: Uint8Array;
}

export function makeSecret(sealer: Sealer, deviceId: string): SealedSecret {
  return { deviceId, sealed: sealer.seal(PURPOSE, randomOctets(SECRET_BYTES), deviceId) };
}

export function isReadable(sealer: Sealer, { deviceId, sealed }: SealedSecret): boolean {
  return sealer.open(PURPOSE, sealed, deviceId) !== undefined;
}

/** @throws AppError SECRET_UNKNOWN */
export function openSecret(sealer: Sealer, { deviceId, sealed }: SealedSecret): Buffer {
  const secret = sealer.open(PURPOSE, sealed, deviceId);
  if (secret === undefined) {
    throw new AppError("SECRET_UNKNOWN", { detail: "no value of LATCHKEY_SECRET opens the secret of a factor" });
  }
  return secret;
}

/** The same secret, sealed by the newest `LATCHKEY_SECRET`, so that older ones can be given up some day. */
export function renewSeal(sealer: Sealer, secret: SealedSecret): Uint8Array {
  if (!sealer.isStale(secret.sealed)) return secret.sealed;
  return sealer.seal(PURPOSE, openSecret(sealer, secret), secret.deviceId);
}

/** What the person's app needs, to be typed or to be scanned. */
export function describeSecret(
  secret: Uint8Array,
  { email, brandName }: { readonly email: string; readonly brandName: string },
): TotpEnrollment {
  const typed = new ScureBase32Plugin().encode(secret, { padding: false });
  // Apps take the first colon for the end of the issuer.
  const [issuer, label] = [brandName.replaceAll(":", " "), email.replaceAll(":", " ")];
  return { secret: typed, uri: generateURI({ issuer, label, secret: typed }) };
}
