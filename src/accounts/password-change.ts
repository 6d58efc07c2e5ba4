import type { Audit } from "../audit/index.ts";
import { AppError, type Clock } from "../core/index.ts";
import type { Db } from "../storage/index.ts";
import type { RequestSource } from "./account.ts";
import { type Credentials, findCredentialsById, setPassword } from "./account-records.ts";
import { confirmDevice } from "./known-devices.ts";
import type { PasswordHasher } from "./passwords/password-hasher.ts";
import type { PasswordPolicy } from "./passwords/password-policy.ts";
import type { Throttled } from "./sign-in.ts";
import type { Throttle } from "./throttle/throttle.ts";

/** What a person typed. Untrusted. */
export interface PasswordChange {
  readonly current: string;
  readonly next: string;
  readonly source: RequestSource;
  /** What the cookie of a known browser holds. */
  readonly browserToken?: string | undefined;
}

/** `refused`: the current password is another one. */
export type PasswordChangeOutcome = { readonly outcome: "changed" } | { readonly outcome: "refused" } | Throttled;

export interface PasswordChangeDependencies {
  readonly db: Db;
  readonly clock: Clock;
  readonly audit: Audit;
  readonly passwordPolicy: PasswordPolicy;
  readonly hasher: PasswordHasher;
  readonly throttle: Pick<Throttle, "count" | "forgive">;
}

/**
 * Sets a new password for who knows the current one (ASVS 6.2.3). The current one is counted in the place where sign-ins
 * are: who took over a session would otherwise have a second, unlimited place to guess it.
 */
export function createPasswordChange(deps: PasswordChangeDependencies) {
  return async function changePassword(id: string, change: PasswordChange): Promise<PasswordChangeOutcome> {
    const credentials = await findCredentialsById(deps.db, id);
    if (credentials === undefined) throw new AppError("ACCOUNT_NOT_FOUND");
    const { email, name } = credentials.account;
    await deps.passwordPolicy.accept(change.next, { email, name });
    const { emailFolded } = credentials;
    const { browserToken, source } = change;
    const verdict = await deps.throttle.count({ emailFolded, browserToken, address: source.address });
    if (verdict.verdict === "closed") {
      if (verdict.isFirst) await recordThrottling(deps, id, { by: verdict.by, source });
      const { retryAfterSeconds, needsReset = false } = verdict;
      return { outcome: "throttled", retryAfterSeconds, needsReset };
    }
    const isRight = await deps.hasher.verify(credentials.passwordHash, change.current);
    const isChanged = isRight && (await replace(deps, credentials, change));
    if (isChanged) await deps.throttle.forgive(verdict.guess);
    else await recordRefusal(deps, id, { source, isLast: verdict.isLast });
    return { outcome: isChanged ? "changed" : "refused" };
  };
}

/** `false` when somebody else changed the password while this one was hashed: what was proved is proved no more. */
async function replace(
  { db, clock, audit, hasher }: PasswordChangeDependencies,
  { account: { id: accountId }, passwordHash: from }: Credentials,
  { next, source, browserToken: token }: PasswordChange,
): Promise<boolean> {
  const to = await hasher.hash(next);
  return db.transaction().execute(async (tx) => {
    const now = new Date(clock.nowMs());
    const changed = await setPassword(tx, accountId, { from, to, now });
    if (changed === undefined) return false;
    await confirmDevice(tx, accountId, { token, now });
    await audit.append(tx, { type: "password_changed", accountId, ...source });
    return true;
  });
}

async function recordRefusal(
  { db, audit }: Pick<PasswordChangeDependencies, "db" | "audit">,
  accountId: string,
  { source, isLast }: { readonly source: RequestSource; readonly isLast: boolean },
): Promise<void> {
  await audit.append(db, { type: "password_change_failed", accountId, ...source });
  if (isLast) await audit.append(db, { type: "password_locked", accountId, ...source });
}

async function recordThrottling(
  { db, audit }: Pick<PasswordChangeDependencies, "db" | "audit">,
  accountId: string,
  { by, source }: { readonly by: "account" | "address"; readonly source: RequestSource },
): Promise<void> {
  await audit.append(db, { type: "sign_in_throttled", accountId, data: { by }, ...source });
}
