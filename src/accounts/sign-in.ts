import type { Audit } from "../audit/index.ts";
import { isAppError, sha256 } from "../core/index.ts";
import type { Db } from "../storage/index.ts";
import type { Account, RequestSource } from "./account.ts";
import { type Credentials, findCredentials, holdEnabled, replacePasswordHash } from "./account-records.ts";
import { parseEmail } from "./email-address.ts";
import type { PasswordHasher } from "./passwords/password-hasher.ts";
import type { Throttle } from "./throttle/throttle.ts";

/** What a person typed into the sign-in page, and for which client. Untrusted. */
export interface SignInAttempt {
  readonly email: string;
  readonly password: string;
  readonly source: RequestSource;
  /** What the cookie of a known browser holds. */
  readonly browserToken?: string | undefined;
  readonly clientId?: string | undefined;
}

export type SignInOutcome =
  | { readonly outcome: "accepted"; readonly account: Account }
  | { readonly outcome: "refused" }
  | Throttled;

/** `needsReset`: waiting does not help, another password does, that is set by mail. */
export interface Throttled {
  readonly outcome: "throttled";
  readonly retryAfterSeconds: number;
  readonly needsReset: boolean;
}

export interface SignInDependencies {
  readonly db: Db;
  readonly audit: Audit;
  readonly hasher: PasswordHasher;
  readonly throttle: Pick<Throttle, "count" | "forgive">;
}

/** Why a sign-in failed: for the audit log. The person is told the same in every case. */
type Failure = "unknown_account" | "wrong_password" | "account_disabled";

type Decision =
  | { readonly decision: "accept"; readonly credentials: Credentials }
  | { readonly decision: "refuse"; readonly reason: Failure; readonly accountId: string | undefined };

/**
 * Every attempt takes the same steps, whether or not the account exists: count, find, verify, record. Text, status and
 * time of the answer must not tell who is registered (ASVS 6.3.8).
 */
export function createSignIn(deps: SignInDependencies) {
  return async function signIn(attempt: SignInAttempt): Promise<SignInOutcome> {
    const emailFolded = parseEmail(attempt.email)?.folded ?? standInFor(attempt.email);
    const { browserToken } = attempt;
    const verdict = await deps.throttle.count({ emailFolded, browserToken, address: attempt.source.address });
    if (verdict.verdict === "closed") {
      // Once a window: an attack would fill a log that nobody can shorten.
      if (verdict.isFirst) {
        await deps.audit.append(deps.db, { type: "sign_in_throttled", data: { by: verdict.by }, ...origin(attempt) });
      }
      const { retryAfterSeconds, needsReset = false } = verdict;
      return { outcome: "throttled", retryAfterSeconds, needsReset };
    }
    const credentials = await findCredentials(deps.db, emailFolded);
    const isRight = await deps.hasher.verify(credentials?.passwordHash, attempt.password);
    const decision = decideSignIn(credentials, isRight);
    if (decision.decision === "refuse") return refuse(deps, attempt, { ...decision, isLast: verdict.isLast });
    await deps.throttle.forgive(verdict.guess);
    return accept(deps, attempt, decision.credentials);
  };
}

/**
 * What is no address is counted, looked up and refused like an address that nobody has. Its digest stands in for it:
 * whatever was typed, of any length and with any character, is then harmless in a query.
 */
function standInFor(typed: string): string {
  return sha256(typed).toString("base64url");
}

function decideSignIn(credentials: Credentials | undefined, isRight: boolean): Decision {
  if (credentials === undefined) return { decision: "refuse", reason: "unknown_account", accountId: undefined };
  const { id: accountId, disabledAt } = credentials.account;
  if (!isRight) return { decision: "refuse", reason: "wrong_password", accountId };
  if (disabledAt !== undefined) return { decision: "refuse", reason: "account_disabled", accountId };
  return { decision: "accept", credentials };
}

async function accept(
  deps: SignInDependencies,
  attempt: SignInAttempt,
  { account, passwordHash }: Credentials,
): Promise<SignInOutcome> {
  const renewedHash = await renewHash(deps.hasher, passwordHash, attempt.password);
  return deps.db.transaction().execute(async (tx) => {
    // Looked at again: the account may have been disabled, and its sessions ended, while the password was verified.
    if (!(await holdEnabled(tx, account.id))) {
      return refuse({ ...deps, db: tx }, attempt, {
        reason: "account_disabled",
        accountId: account.id,
        isLast: false,
      });
    }
    if (renewedHash !== undefined) await replacePasswordHash(tx, account.id, { from: passwordHash, to: renewedHash });
    await deps.audit.append(tx, { type: "sign_in_succeeded", accountId: account.id, ...origin(attempt) });
    return { outcome: "accepted", account };
  });
}

async function refuse(
  { db, audit }: Pick<SignInDependencies, "db" | "audit">,
  attempt: SignInAttempt,
  { reason, accountId, isLast }: Refusal,
): Promise<SignInOutcome> {
  await audit.append(db, { type: "sign_in_failed", accountId, data: { reason }, ...origin(attempt) });
  if (isLast) await audit.append(db, { type: "password_locked", accountId, ...origin(attempt) });
  return { outcome: "refused" };
}

interface Refusal {
  readonly reason: Failure;
  readonly accountId: string | undefined;
  readonly isLast: boolean;
}

/**
 * Hashes the password anew when the parameters have changed, or another system hashed it; not now when the server is busy:
 * there will be a next time.
 */
async function renewHash(hasher: PasswordHasher, outdated: string, password: string): Promise<string | undefined> {
  if (!hasher.isOutdated(outdated, password)) return undefined;
  try {
    return await hasher.hash(password);
  } catch (error) {
    if (isAppError(error, "HASHING_BUSY")) return undefined;
    throw error;
  }
}

function origin({ source, clientId }: SignInAttempt) {
  return { clientId, requestId: source.requestId, address: source.address };
}
