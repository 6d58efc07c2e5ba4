import type { KnownDevices } from "../accounts/index.ts";
import type { Audit } from "../audit/index.ts";
import type { Authenticator, Clock, Sealer } from "../core/index.ts";
import type { Db } from "../storage/index.ts";
import type { Attempts } from "./attempts.ts";
import type { FactorSource } from "./factors.ts";

export interface FactorsDependencies {
  readonly db: Db;
  readonly clock: Clock;
  readonly audit: Audit;
  readonly sealer: Sealer;
  readonly authenticator: Authenticator;
  /** Told of every factor that comes or goes: from then on no browser passes without one. */
  readonly knownDevices: Pick<KnownDevices, "distrust">;
  /** Passkeys belong to its host, and are used from its origin only. */
  readonly issuer: string;
  /** What authenticator apps and browsers show the person. */
  readonly brandName: string;
}

/** What the parts of this folder share. */
export interface FactorServices extends FactorsDependencies {
  readonly attempts: Attempts;
}

export type FactorKind = "totp" | "passkey" | "recovery_code";

/** The part of an audit event that says where it came from. */
export function originOf({ clientId, requestId, address }: FactorSource) {
  return { clientId, requestId, address };
}
