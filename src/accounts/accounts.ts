import { availableParallelism } from "node:os";
import type { Audit } from "../audit/index.ts";
import type { Config } from "../config/index.ts";
import {
  AppError,
  type Authenticator,
  type Clock,
  createFreshCache,
  createGatheredLoad,
  type FreshCache,
} from "../core/index.ts";
import type { Db } from "../storage/index.ts";
import type { Account, RequestSource } from "./account.ts";
import { findAccountById, findAccountsById, findCredentials, listAccounts, setDisabledAt } from "./account-records.ts";
import { parseEmail } from "./email-address.ts";
import { type AccountsByMail, createAccountsByMail } from "./confirmations/accounts-by-mail.ts";
import { dropConfirmations } from "./confirmations/confirmation-records.ts";
import type { EmailChangeDependencies } from "./confirmations/email-change.ts";
import type { ConfirmationMails } from "./confirmations/mails.ts";
import { createImport, type ImportBatch, type ImportDependencies, type ImportReport } from "./import/import-people.ts";
import { createBreachList } from "./passwords/breach-list.ts";
import { createHashingQueue, type HashingLoad } from "./passwords/hashing-queue.ts";
import { createPasswordChange, type PasswordChange, type PasswordChangeOutcome } from "./password-change.ts";
import { createPasswordHasher, type PasswordHasher } from "./passwords/password-hasher.ts";
import { createPasswordPolicy, type PasswordPolicy } from "./passwords/password-policy.ts";
import { createStrengthEstimator, type StrengthEstimator } from "./passwords/strength-estimator.ts";
import { createProfileChange, type ProfileInput } from "./profile-change.ts";
import { createRegistration, type RegistrationInput, type RegistrationSource } from "./registration.ts";
import { createRemoval, type RemovalDependencies } from "./removal.ts";
import { createSignIn, type SignInAttempt, type SignInOutcome } from "./sign-in.ts";
import { forgetFailures } from "./throttle/budgets.ts";
import { createThrottle, type Throttle } from "./throttle/throttle.ts";

const LIST_LIMIT_MAX = 1_000;
/** Every token request asks for its account; a disabled one has to be dead everywhere within a second. */
const KNOWN_AGE_MS_MAX = 900;
const KNOWN_MAX = 10_000;
const HASHING_WAITING_MAX = 64;
const HASHING_WAIT_MAX_MS = 1_000;

export interface Accounts {
  /**
   * Creates an account.
   *
   * @throws AccountFieldInvalidError (INPUT_INVALID) naming the field, PasswordUnacceptableError
   * (PASSWORD_UNACCEPTABLE) with the rule, AppError ACCOUNT_EMAIL_TAKEN, THROTTLED or HASHING_BUSY.
   */
  register(input: RegistrationInput, source: RegistrationSource): Promise<Account>;
  /**
   * Checks an e-mail address and a password. `refused` says no more on purpose; every outcome is in the audit log.
   *
   * @throws AppError HASHING_BUSY, with the attempt counted but not evaluated.
   */
  signIn(attempt: SignInAttempt): Promise<SignInOutcome>;
  /**
   * Also finds disabled accounts: whoever issues anything looks at `disabledAt`. The answer is at most a second old,
   * and no older than the last change that was made through this object.
   */
  find(id: string): Promise<Account | undefined>;
  /** The same as it is now, for whoever decides on a sign-in. */
  read(id: string): Promise<Account | undefined>;
  /** Finds by any spelling of the address; text that is no address finds nothing. */
  findByEmail(email: string): Promise<Account | undefined>;
  /** In the order of ids, from 1 to 1,000 at a time; `after` is the last id of the page before. @throws INPUT_INVALID */
  list(page: { readonly limit: number; readonly after?: string | undefined }): Promise<readonly Account[]>;
  /**
   * Disables an account, commits that, and then ends its sessions. Repeating it ends them again, should that have failed.
   *
   * @throws AppError ACCOUNT_NOT_FOUND
   */
  disable(id: string): Promise<Account>;
  /** Lets the person sign in again; ended sessions stay ended. @throws AppError ACCOUNT_NOT_FOUND */
  enable(id: string): Promise<Account>;
  /**
   * Lifts every delay that failed attempts have brought upon an account, of its password and of its codes; `false` when
   * there was none. @throws AppError ACCOUNT_NOT_FOUND
   */
  unlock(id: string): Promise<boolean>;
  /** @throws AccountFieldInvalidError (INPUT_INVALID) naming the field, AppError ACCOUNT_NOT_FOUND */
  changeProfile(id: string, input: ProfileInput, source: RequestSource): Promise<Account>;
  /**
   * Sets a new password for who knows the current one. Guesses count like those at the sign-in. Sessions go on: see
   * `sessions.endOthers`.
   *
   * @throws PasswordUnacceptableError (PASSWORD_UNACCEPTABLE) with the rule, AccountFieldInvalidError (INPUT_INVALID),
   * AppError ACCOUNT_NOT_FOUND, HASHING_BUSY.
   */
  changePassword(id: string, change: PasswordChange): Promise<PasswordChangeOutcome>;
  /**
   * Ends everything that the account has, and then deletes it for good; its id is never used again.
   *
   * @throws AppError STORE_UNAVAILABLE when something of it could not be ended everywhere: then it is still there,
   * signed out, and can be removed later. ACCOUNT_NOT_FOUND
   */
  remove(id: string, source: RequestSource): Promise<void>;
  /** What people prove by reading their mail. */
  readonly byMail: AccountsByMail;
  /**
   * Adds people as another system had them, with their hashes. Nobody who is there is changed, and what cannot be used
   * is in the report.
   */
  importPeople(batch: ImportBatch): Promise<ImportReport>;
  /** How busy this node is with hashing passwords. */
  hashingLoad(): HashingLoad;
}

export interface AccountsDependencies {
  readonly db: Db;
  readonly clock: Clock;
  readonly audit: Audit;
  readonly passwordHash: Config["passwordHash"];
  readonly passwords: Config["passwords"] & {
    /** A password was accepted without the list of leaked ones, which could not be asked. */
    readonly onBreachListUnavailable?: (reason: string) => void;
  };
  /** Ends every session of an account and every token that hangs on one. Not complete: the rest ends by itself, later. */
  readonly endSessions: (
    accountId: string,
    reason: "account_disabled" | "account_deleted" | "password_reset" | "email_change_undone",
  ) => Promise<{ readonly isComplete: boolean }>;
  /** Within a transaction; `false`, and nothing done, while something of the account's sessions has not ended yet. */
  readonly forgetSessions: RemovalDependencies["forgetSessions"];
  /** Counts in Postgres alone when absent. */
  readonly throttle?: Throttle | undefined;
  /** Those of the ids that clients have; until the transaction ends no client is added. */
  readonly clientIdsAmong: ImportDependencies["clientIdsAmong"];
  /** How many processes share the cores for hashing passwords. One when absent. */
  readonly processesOnMachine?: number | undefined;
  readonly authenticator: Authenticator;
  /** Removes second factors that were added since then. */
  readonly removeFactorsSince: EmailChangeDependencies["removeFactorsSince"];
  readonly mails: ConfirmationMails;
  /** argon2id, bounded to the cores, when absent. */
  readonly hasher?: PasswordHasher | undefined;
  /** A process with zxcvbn when absent. */
  readonly strength?: StrengthEstimator | undefined;
}

export function createAccounts(deps: AccountsDependencies): Accounts {
  const { db, clock } = deps;
  const hasher = deps.hasher ?? createBoundedHasher(deps);
  const passwordPolicy = createPolicy(deps);
  const throttle = deps.throttle ?? createThrottle({ db, clock });
  const known = createFreshCache({
    clock,
    ageMsMax: KNOWN_AGE_MS_MAX,
    entriesMax: KNOWN_MAX,
    load: createGatheredLoad((ids) => findAccountsById(db, ids)),
  });
  const changing = forgettingAfter(known);
  const setDisabled = changing((id: string, type: "account_disabled" | "account_enabled") =>
    changeDisabled(deps, id, type),
  );
  const register = createRegistration({ db, clock, audit: deps.audit, passwordPolicy, hasher, throttle });
  return {
    register: (input, source) => register(input, source),
    byMail: createAccountsByMail({ ...deps, passwordPolicy, hasher, throttle, register, changing }),
    signIn: createSignIn({ db, audit: deps.audit, hasher, throttle }),
    find: (id) => known.get(id),
    read: (id) => findAccountById(db, id),
    async findByEmail(email) {
      const address = parseEmail(email);
      return address && (await findCredentials(db, address.folded))?.account;
    },
    async list({ limit, after = "" }) {
      if (!Number.isInteger(limit) || limit < 1 || limit > LIST_LIMIT_MAX) {
        throw new AppError("INPUT_INVALID", { detail: `limit is not between 1 and ${LIST_LIMIT_MAX}` });
      }
      return listAccounts(db, limit, after);
    },
    async disable(id) {
      const account = await setDisabled(id, "account_disabled");
      await deps.endSessions(id, "account_disabled");
      return account;
    },
    enable: (id) => setDisabled(id, "account_enabled"),
    unlock: (id) => unlock(deps, id),
    changeProfile: changing(createProfileChange({ db, clock, audit: deps.audit })),
    changePassword: changing(createPasswordChange({ db, clock, audit: deps.audit, passwordPolicy, hasher, throttle })),
    remove: changing(createRemoval(deps)),
    importPeople: createImport(deps),
    hashingLoad: () => hasher.load(),
  };
}

/** Whoever asks after a change, successful or not, sees what is there then. */
function forgettingAfter(known: FreshCache<unknown>) {
  return <Parameters extends readonly unknown[], Result>(change: (...parameters: Parameters) => Promise<Result>) =>
    async (...parameters: Parameters): Promise<Result> => {
      try {
        return await change(...parameters);
      } finally {
        known.clear();
      }
    };
}

/** Only a change is recorded: an account that is so already stays as it is. */
async function changeDisabled(
  { db, clock, audit }: AccountsDependencies,
  id: string,
  type: "account_disabled" | "account_enabled",
): Promise<Account> {
  return db.transaction().execute(async (tx) => {
    const now = new Date(clock.nowMs());
    const changed = await setDisabledAt(tx, id, { disabledAt: type === "account_disabled" ? now : undefined, now });
    if (changed !== undefined) await audit.append(tx, { type, accountId: id });
    // Who was disabled and is enabled again does not find the links alive that somebody had sent for before.
    if (type === "account_disabled")
      await dropConfirmations(tx, id, { purposes: ["verification", "email", "password_reset"] });
    const account = changed ?? (await findAccountById(tx, id));
    if (account === undefined) throw new AppError("ACCOUNT_NOT_FOUND");
    return account;
  });
}

async function unlock({ db, audit }: AccountsDependencies, id: string): Promise<boolean> {
  return db.transaction().execute(async (tx) => {
    if ((await findAccountById(tx, id)) === undefined) throw new AppError("ACCOUNT_NOT_FOUND");
    const isChanged = (await forgetFailures(tx, id)) > 0n;
    if (isChanged) await audit.append(tx, { type: "account_unlocked", accountId: id });
    return isChanged;
  });
}

function createPolicy({ passwords, strength }: AccountsDependencies): PasswordPolicy {
  const { charactersMin, breachListUrl: url, onBreachListUnavailable: onUnavailable = () => undefined } = passwords;
  const breachList = url === undefined ? undefined : createBreachList({ url, onUnavailable });
  return createPasswordPolicy({ charactersMin, strength: strength ?? createStrengthEstimator(), breachList });
}

/**
 * One core always stays free for everybody who is signed in, and with it one thread of the pool that signing shares: it
 * has as many threads as there are cores (bin/latchkey.js). Several processes share the cores; each has a pool of its own.
 */
function createBoundedHasher(deps: Pick<AccountsDependencies, "passwordHash" | "processesOnMachine">): PasswordHasher {
  const coresFree = Math.floor((availableParallelism() - 1) / (deps.processesOnMachine ?? 1));
  const queue = createHashingQueue({
    concurrencyMax: Math.max(1, coresFree),
    waitingMax: HASHING_WAITING_MAX,
    waitMaxMs: HASHING_WAIT_MAX_MS,
  });
  return createPasswordHasher(deps.passwordHash, queue);
}
