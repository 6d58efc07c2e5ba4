import { createGatheredLoad } from "../core/index.ts";
import { guardStore } from "../storage/index.ts";
import { createAttempts } from "./attempts.ts";
import { createFactorChanges } from "./changes.ts";
import type { FactorsDependencies } from "./dependencies.ts";
import type { Factors, Passkeys, RecoveryCodes, TotpDevices } from "./factors.ts";
import { findAccountsWithFactors, readOverview } from "./overview.ts";
import { createPasskeys } from "./passkeys/passkeys.ts";
import { createRecoveryCodes } from "./recovery-codes/recovery-codes.ts";
import { sweepFactors } from "./sweep.ts";
import { createTotpVerification } from "./totp/devices.ts";
import { resealSecrets } from "./totp/reseal.ts";
import { createTotpEnrollment } from "./totp/enrollment.ts";

/** Everything here throws AppError STORE_UNAVAILABLE when the database is away: without it nothing is proved. */
export function createFactors(deps: FactorsDependencies): Factors {
  const services = { ...deps, attempts: createAttempts(deps) };
  const changes = createFactorChanges(services);
  const isAmongThoseWithFactors = createGatheredLoad((ids) => findAccountsWithFactors(services.db, ids));
  return {
    totp: guardTotp({ ...createTotpEnrollment(services), verify: createTotpVerification(services) }),
    recoveryCodes: guardRecoveryCodes(createRecoveryCodes(services)),
    passkeys: guardPasskeys(createPasskeys(services)),
    hasAny: (accountId) => guardStore(async () => (await isAmongThoseWithFactors(accountId)) === true),
    overview: (accountId) => guardStore(() => readOverview(services, accountId)),
    rename: (accountId, factorId, name) => guardStore(() => changes.rename(accountId, factorId, name)),
    remove: (accountId, factorId, source) => guardStore(() => changes.remove(accountId, factorId, source)),
    removeSince: (accountId, since, source) => guardStore(() => changes.removeSince(accountId, since, source)),
    reset: (accountId) => guardStore(() => changes.reset(accountId)),
    reseal: () => guardStore(() => resealSecrets(services)),
    sweep: () => guardStore(() => sweepFactors(services)),
  };
}

function guardTotp(totp: TotpDevices): TotpDevices {
  return {
    beginEnrollment: (account, binding) => guardStore(() => totp.beginEnrollment(account, binding)),
    confirmEnrollment: (accountId, attempt) => guardStore(() => totp.confirmEnrollment(accountId, attempt)),
    verify: (accountId, attempt) => guardStore(() => totp.verify(accountId, attempt)),
  };
}

function guardRecoveryCodes(codes: RecoveryCodes): RecoveryCodes {
  return {
    replace: (accountId, source) => guardStore(() => codes.replace(accountId, source)),
    reveal: (accountId) => guardStore(() => codes.reveal(accountId)),
    confirmSaved: (accountId) => guardStore(() => codes.confirmSaved(accountId)),
    verify: (accountId, attempt) => guardStore(() => codes.verify(accountId, attempt)),
  };
}

function guardPasskeys(passkeys: Passkeys): Passkeys {
  return {
    creationOptions: (account, binding) => guardStore(() => passkeys.creationOptions(account, binding)),
    register: (accountId, attempt) => guardStore(() => passkeys.register(accountId, attempt)),
    requestOptions: (binding, accountId) => guardStore(() => passkeys.requestOptions(binding, accountId)),
    verify: (attempt) => guardStore(() => passkeys.verify(attempt)),
  };
}
