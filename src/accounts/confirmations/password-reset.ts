import { AppError } from "../../core/index.ts";
import type { Db } from "../../storage/index.ts";
import type { Account, RequestSource } from "../account.ts";
import {
  type Credentials,
  findCredentials,
  findCredentialsById,
  lockCredentials,
  resetPassword,
} from "../account-records.ts";
import type { PasswordHasher } from "../passwords/password-hasher.ts";
import type { PasswordPolicy } from "../passwords/password-policy.ts";
import type { Throttle } from "../throttle/throttle.ts";
import type { Confirmation, ConfirmationOrigin } from "./confirmation.ts";
import type { ConfirmationBase, ConfirmationDependencies } from "./confirmation-base.ts";
import { dropConfirmations, noteFactorProved } from "./confirmation-records.ts";
import { type EmailInput, requireEmail } from "./registration-by-mail.ts";

/** Somebody who has proved that they read an account's mail. */
export interface ResettingPerson {
  /** Names this attempt: what a second factor answers belongs to it. */
  readonly id: string;
  readonly account: Account;
  /** Whether a second factor was proved, too. */
  readonly isFactorProved: boolean;
  readonly origin: ConfirmationOrigin;
}

/** `factor_needed`: the account has a second factor, which was not proved for this reset. */
export type ResetOutcome =
  | { readonly outcome: "reset"; readonly origin: ConfirmationOrigin }
  | { readonly outcome: "factor_needed" };

/** A new password for who has forgotten theirs (ASVS 6.4.3): by mail, and by the second factor of who has one. */
export interface PasswordReset {
  /**
   * Returns the id that the code belongs to. For an address without an account there is one too, which looks alike.
   *
   * @throws AccountFieldInvalidError for what is no address, AppError THROTTLED
   */
  begin(input: EmailInput & { readonly origin: ConfirmationOrigin }): Promise<string>;
  /** @throws AppError CONFIRMATION_OVER: too old, used, or asked for before the password or the address were changed. */
  find(token: string): Promise<ResettingPerson>;
  /** A second factor of the person's was accepted. @throws AppError CONFIRMATION_OVER */
  noteFactor(token: string): Promise<void>;
  /**
   * Sets the password, and ends every session.
   *
   * @throws AppError CONFIRMATION_OVER, HASHING_BUSY; PasswordUnacceptableError, AccountFieldInvalidError
   */
  complete(token: string, input: ResetInput): Promise<ResetOutcome>;
}

export interface ResetInput {
  readonly password: string;
  readonly source: RequestSource;
  /** Whether the account has a second factor by now. */
  readonly needsFactor: (accountId: string) => Promise<boolean>;
}

const PURPOSES = ["password_reset"] as const;

export interface PasswordResetDependencies extends ConfirmationDependencies {
  readonly passwordPolicy: PasswordPolicy;
  readonly hasher: PasswordHasher;
  readonly throttle: ConfirmationDependencies["throttle"] & Pick<Throttle, "release">;
  /** No browser is spared a second factor any more. */
  readonly distrustBrowsers: (accountId: string, tx: Db) => Promise<void>;
  readonly endSessions: (accountId: string, reason: "password_reset") => Promise<unknown>;
}

export function createPasswordReset(deps: PasswordResetDependencies, base: ConfirmationBase): PasswordReset {
  const { db, clock, audit, passwordPolicy, hasher } = deps;

  async function read(token: string): Promise<ResettingPerson & Found> {
    const confirmation = await base.get(token, PURPOSES);
    const credentials = await findCredentialsById(db, confirmation.accountId ?? "");
    if (credentials === undefined || !stillFits(confirmation, credentials)) throw new AppError("CONFIRMATION_OVER");
    const { id, origin, isFactorProved } = confirmation;
    return { id, origin, isFactorProved, account: credentials.account, credentials, confirmation };
  }

  async function replace(
    tx: Db,
    { credentials, confirmation }: Found,
    { to, source }: { readonly to: string; readonly source: RequestSource },
  ): Promise<void> {
    const accountId = credentials.account.id;
    const held = await lockCredentials(tx, accountId);
    // Looked at again: disabled meanwhile, or another password or address was set.
    if (held === undefined || !stillFits(confirmation, held)) throw new AppError("CONFIRMATION_OVER");
    await base.consume(tx, confirmation);
    const change = { from: credentials.passwordHash, to, now: new Date(clock.nowMs()) };
    if ((await resetPassword(tx, accountId, change)) === undefined) throw new AppError("CONFIRMATION_OVER");
    await dropConfirmations(tx, accountId, { purposes: ["password_reset", "verification", "email"] });
    await deps.throttle.release(tx, confirmation.emailFolded);
    await deps.distrustBrowsers(accountId, tx);
    await audit.append(tx, { type: "password_reset", accountId, ...source });
  }

  return {
    async begin({ email, locale, source, origin }) {
      const { address, folded } = requireEmail(email);
      await base.countOrRefuse("reset", folded, source);
      const account = (await findCredentials(db, folded))?.account;
      const isUsable = account !== undefined && account.disabledAt === undefined;
      const accountId = account?.id;
      return base.begin({
        email: address,
        // To the address as the account has it: another spelling may be somebody else's mailbox.
        to: account?.email ?? address,
        emailFolded: folded,
        accountId,
        origin,
        purpose: "password_reset",
        mail: isUsable ? "confirm.password_reset" : undefined,
        otherwise: "confirm.no_account",
        locale: account?.locale ?? locale,
        event: { type: "password_reset_requested", accountId, ...source },
      });
    },
    async find(token) {
      const { credentials: _, confirmation: __, ...person } = await read(token);
      return person;
    },
    async noteFactor(token) {
      await noteFactorProved(db, (await read(token)).id);
    },
    async complete(token, { password, source, needsFactor }) {
      const found = await read(token);
      const { credentials, confirmation, origin, isFactorProved } = found;
      const accountId = credentials.account.id;
      if (!isFactorProved && (await needsFactor(accountId))) return { outcome: "factor_needed" };
      const { email, name } = credentials.account;
      await passwordPolicy.accept(password, { email, name });
      await base.alone(confirmation, async () => {
        const to = await hasher.hash(password);
        // Before, so that nothing has changed where that cannot be done; and after, for what began meanwhile.
        await deps.endSessions(accountId, "password_reset");
        await db.transaction().execute((tx) => replace(tx, found, { to, source }));
      });
      await deps.endSessions(accountId, "password_reset");
      return { outcome: "reset", origin };
    },
  };
}

interface Found {
  readonly credentials: Credentials;
  readonly confirmation: Confirmation;
}

/** A link dies with what was so when it was asked for: another password, another address, an account that is disabled. */
function stillFits({ emailFolded, createdAt }: Confirmation, { account, emailFolded: current }: Credentials): boolean {
  const isUnchanged = emailFolded === current && account.passwordChangedAt <= createdAt;
  return isUnchanged && account.disabledAt === undefined;
}
