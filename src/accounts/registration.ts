import type { Audit } from "../audit/index.ts";
import { AppError, type Clock, randomToken } from "../core/index.ts";
import type { Db } from "../storage/index.ts";
import type { Account, RequestSource } from "./account.ts";
import { AccountFieldInvalidError } from "./account-input-errors.ts";
import { ACCOUNT_ID_BYTES, insertAccount } from "./account-records.ts";
import { isReserved } from "./confirmations/confirmation-records.ts";
import { type EmailAddress, parseEmail } from "./email-address.ts";
import type { PasswordHasher } from "./passwords/password-hasher.ts";
import type { PasswordPolicy } from "./passwords/password-policy.ts";
import { parseLocale, parseName } from "./profile.ts";
import type { Throttle } from "./throttle/throttle.ts";

/** What a person typed, or what an operator's command was given. Untrusted. */
export interface RegistrationInput {
  readonly email: string;
  readonly name: string;
  readonly password: string;
  readonly locale?: string | undefined;
  /** An operator vouches for the address; from anybody else it counts for nothing. */
  readonly emailVerified?: boolean | undefined;
}

/** An operator registers as many people as there are; everybody else is counted by address. */
export type RegistrationSource = RequestSource | "operator";

export interface RegistrationDependencies {
  readonly db: Db;
  readonly clock: Clock;
  readonly audit: Audit;
  readonly passwordPolicy: PasswordPolicy;
  readonly hasher: PasswordHasher;
  readonly throttle: Pick<Throttle, "countRegistration">;
}

interface Registration {
  readonly email: EmailAddress;
  readonly name: string;
  readonly locale: string | undefined;
}

/**
 * Creates an account. `confirm`: somebody was let in by a link, which is used up in the same transaction. `emailVerified`:
 * it came by mail, which an invitation that an operator passed on did not.
 */
export type Register = (
  input: RegistrationInput,
  source: RegistrationSource,
  proved?: { readonly emailVerified: boolean; readonly confirm: (tx: Db) => Promise<void> },
) => Promise<Account>;

export function createRegistration(deps: RegistrationDependencies): Register {
  const { db, clock, audit, passwordPolicy, hasher, throttle } = deps;
  return async function register(input, source, proved) {
    const registration = parseRegistration(input);
    if (source !== "operator" && proved === undefined) await countOrRefuse(throttle, source);
    await passwordPolicy.accept(input.password, { email: registration.email.folded, name: registration.name });
    // Hashed whether or not the address is taken: the time until the answer must not tell (ASVS 6.3.8).
    const passwordHash = await hasher.hash(input.password);
    return db.transaction().execute(async (tx) => {
      const id = randomToken(ACCOUNT_ID_BYTES);
      const createdAt = new Date(clock.nowMs());
      const isVouchedFor = source === "operator" && input.emailVerified === true;
      const emailVerified = proved?.emailVerified ?? isVouchedFor;
      const account = await insertAccount(tx, { id, ...registration, emailVerified, passwordHash, createdAt });
      const isReservedForAnother = await isReserved(tx, registration.email.folded, { now: createdAt });
      if (account === undefined || isReservedForAnother) throw new AppError("ACCOUNT_EMAIL_TAKEN");
      // Last: of two links for one address, the index has let one through that may then drop the other.
      await proved?.confirm(tx);
      await audit.append(tx, {
        type: "account_registered",
        accountId: id,
        ...(source === "operator" ? { actor: "operator" } : source),
      });
      return account;
    });
  };
}

/** Until an answer no longer tells whether an address is taken, at least nobody asks that at speed. */
async function countOrRefuse(
  throttle: RegistrationDependencies["throttle"],
  { address }: RequestSource,
): Promise<void> {
  const count = await throttle.countRegistration(address);
  if (count.verdict === "closed") throw new AppError("THROTTLED", { retryAfterSeconds: count.retryAfterSeconds });
}

function parseRegistration(input: RegistrationInput): Registration {
  const email = parseEmail(input.email);
  if (email === undefined) throw new AccountFieldInvalidError("email");
  const name = parseName(input.name);
  if (name === undefined) throw new AccountFieldInvalidError("name");
  const locale = input.locale === undefined ? undefined : parseLocale(input.locale);
  if (input.locale !== undefined && locale === undefined) throw new AccountFieldInvalidError("locale");
  return { email, name, locale };
}
