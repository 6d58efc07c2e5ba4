import type { Db } from "../storage/index.ts";
import { type FactorKind, type FactorServices, originOf } from "./dependencies.ts";
import type { FactorSource } from "./factors.ts";
import { makeFirstSet } from "./recovery-codes/sets.ts";

/** What goes with every factor that an account gets, in the transaction that adds it and holds the account's factors. */
export async function recordEnrollment(
  services: FactorServices,
  tx: Db,
  enrolled: { readonly accountId: string; readonly factor: FactorKind; readonly source: FactorSource },
): Promise<void> {
  const { accountId, factor, source } = enrolled;
  const about = { accountId, ...originOf(source) };
  await services.audit.append(tx, { type: "factor_enrolled", data: { factor }, ...about });
  await makeFirstSet(services, tx, { accountId, source });
  await services.knownDevices.distrust(accountId, tx);
}
