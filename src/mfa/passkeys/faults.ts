import { type FactorServices, originOf } from "../dependencies.ts";
import type { FactorSource } from "../factors.ts";
import type { PasskeyFault } from "./webauthn.ts";

/** Refuses, and records why: of one network only so often, for anybody may send what is no passkey. */
export async function refusePasskey(
  { db, audit, attempts }: FactorServices,
  refused: { readonly fault: PasskeyFault; readonly source: FactorSource; readonly accountId: string | undefined },
): Promise<{ readonly outcome: "refused" }> {
  const { fault, source, accountId } = refused;
  const { isToBeRecorded } = await attempts.countPasskeyFailure(source.address);
  if (isToBeRecorded) {
    await audit.append(db, { type: "passkey_failed", accountId, data: { reason: fault }, ...originOf(source) });
  }
  return { outcome: "refused" };
}
