import { AppError, randomToken } from "../../core/index.ts";
import { type Db, isUniqueViolation } from "../../storage/index.ts";
import type { Account, RequestSource } from "../account.ts";
import {
  type Credentials,
  findAccountById,
  findCredentials,
  lockCredentials,
  setEmail,
  setPassword,
} from "../account-records.ts";
import type { PasswordHasher } from "../passwords/password-hasher.ts";
import type { Confirmation, ConfirmationOrigin } from "./confirmation.ts";
import type { ConfirmationBase, ConfirmationDependencies } from "./confirmation-base.ts";
import { dropConfirmations, isReserved } from "./confirmation-records.ts";
import { type EmailInput, requireEmail } from "./registration-by-mail.ts";

/** Proving the address that an account has, and giving it another one. */
export interface EmailChange {
  /**
   * Returns the id that the code belongs to. Whether another account has the address, its owner is told, and nobody else.
   *
   * @throws AccountFieldInvalidError for what is no address, AppError THROTTLED, ACCOUNT_NOT_FOUND
   */
  begin(accountId: string, input: EmailInput & { readonly origin?: ConfirmationOrigin }): Promise<string>;
  /**
   * The address that a link is about, for the account that asked for it and no other.
   *
   * @throws AppError CONFIRMATION_OVER
   */
  find(accountId: string, token: string): Promise<{ readonly email: string }>;
  /**
   * The address is the account's, and proved. The one from before is told, and may take it back for 72 hours.
   *
   * @throws AppError CONFIRMATION_OVER; ACCOUNT_EMAIL_TAKEN when somebody was faster
   */
  complete(accountId: string, token: string, source: RequestSource): Promise<"verified" | "changed">;
  /**
   * Where a link that proves the account's address is to be used: where it was asked for. Whoever reads the mail has not
   * proved that the account is theirs: somebody else may have made it for their address.
   *
   * @throws AppError CONFIRMATION_OVER
   */
  findOrigin(token: string): Promise<ConfirmationOrigin>;
  /** The address that a link gives back. @throws AppError CONFIRMATION_OVER */
  findUndo(token: string): Promise<{ readonly email: string }>;
  /**
   * Gives the account its address from before, and ends every session: whoever took it may be in. They may know the
   * password, too, and would take it again in the next second, so that this works no more either, nor do second factors
   * that were added since. Returns the token for choosing a new password, which whoever reads the mail of that address
   * may.
   *
   * @throws AppError CONFIRMATION_OVER
   */
  undo(token: string, source: RequestSource): Promise<string>;
}

/** Of the address that the account has, and of another one: by the same forms. */
export const EMAIL_PURPOSES = ["verification", "email"] as const;
const UNDO = ["email_undo"] as const;

export interface EmailChangeDependencies extends ConfirmationDependencies {
  readonly hasher: Pick<PasswordHasher, "hash">;
  readonly distrustBrowsers: (accountId: string, tx: Db) => Promise<void>;
  readonly endSessions: (accountId: string, reason: "email_change_undone") => Promise<unknown>;
  /** Second factors that were added since then are the account's no more. */
  readonly removeFactorsSince: (accountId: string, since: Date, source: RequestSource) => Promise<void>;
}

export function createEmailChange(deps: EmailChangeDependencies, base: ConfirmationBase): EmailChange {
  const { db, clock, audit, mails } = deps;
  const now = (): Date => new Date(clock.nowMs());

  async function getOwn(accountId: string, token: string): Promise<Confirmation> {
    const confirmation = await base.get(token, EMAIL_PURPOSES);
    if (confirmation.accountId !== accountId) throw new AppError("CONFIRMATION_OVER");
    return confirmation;
  }

  async function isAnothers(tx: Db, emailFolded: string, accountId: string): Promise<boolean> {
    const owner = await findCredentials(tx, emailFolded);
    const reserved = await isReserved(tx, emailFolded, { now: now(), exceptFor: accountId });
    return owner === undefined ? reserved : owner.account.id !== accountId;
  }

  /** To the address from before; with the way back, unless it may be a stranger's, who has never proved it. */
  async function tellOldAddress(tx: Db, { id, ...account }: Account, emailFolded: string): Promise<void> {
    const { email, emailVerified, locale } = account;
    const undo = { purpose: "email_undo", accountId: id, email, emailFolded, origin: {} } as const;
    const token = emailVerified ? await base.note(tx, undo) : undefined;
    const variables = token === undefined ? {} : { token };
    await mails.enqueue(tx, { kind: "confirm.email_changed", to: email, locale, variables });
  }

  return {
    async begin(accountId, { email, locale, source, origin = {} }) {
      const { address, folded } = requireEmail(email);
      const account = await findAccountById(db, accountId);
      if (account === undefined) throw new AppError("ACCOUNT_NOT_FOUND");
      // Another spelling may be another mailbox: that is a change, which the one from before is told of.
      const isOwn = account.email === address;
      await base.countOrRefuse(isOwn ? "verification" : "email_change", folded, source);
      const isTaken = await isAnothers(db, folded, accountId);
      return base.begin({
        purpose: isOwn ? "verification" : "email",
        accountId,
        email: address,
        emailFolded: folded,
        origin,
        to: address,
        mail: isTaken ? undefined : isOwn ? "confirm.verification" : "confirm.email",
        otherwise: "confirm.have_account",
        locale: account.locale ?? locale,
        event: { type: "email_confirmation_requested", accountId, ...source },
      });
    },
    async find(accountId, token) {
      const { email } = await getOwn(accountId, token);
      return { email };
    },
    async complete(accountId, token, source) {
      const confirmation = await getOwn(accountId, token);
      const { email, emailFolded } = confirmation;
      const change = db.transaction().execute(async (tx) => {
        const before = await lockEnabled(tx, accountId);
        await base.consume(tx, confirmation);
        const isSame = before.account.email === email;
        if (!isSame && (await isAnothers(tx, emailFolded, accountId))) throw new AppError("ACCOUNT_EMAIL_TAKEN");
        await setEmail(tx, accountId, { email, emailFolded, now: now() });
        // A link for a new password that went to the address from before is dead, also when that comes back.
        await dropConfirmations(tx, accountId, {
          purposes: isSame ? EMAIL_PURPOSES : [...EMAIL_PURPOSES, "password_reset"],
        });
        if (!isSame) await tellOldAddress(tx, before.account, before.emailFolded);
        await audit.append(tx, { type: isSame ? "email_verified" : "email_changed", accountId, ...source });
        return isSame ? "verified" : "changed";
      });
      return change.catch(rethrowTaken);
    },
    async findOrigin(token) {
      return (await base.get(token, ["verification"])).origin;
    },
    ...createUndo(deps, base),
  };
}

function createUndo(deps: EmailChangeDependencies, base: ConfirmationBase): Pick<EmailChange, "findUndo" | "undo"> {
  const { db, clock, audit } = deps;

  /** While the account is disabled its links are dead, and this one is back when that is. */
  async function read(token: string): Promise<Confirmation> {
    const confirmation = await base.get(token, UNDO);
    const account = await findAccountById(db, confirmation.accountId ?? "");
    if (account === undefined || account.disabledAt !== undefined) throw new AppError("CONFIRMATION_OVER");
    return confirmation;
  }

  async function take(tx: Db, confirmation: Confirmation, by: Undoing): Promise<string> {
    const { email, emailFolded, accountId = "", createdAt } = confirmation;
    const now = new Date(clock.nowMs());
    const { passwordHash: from } = await lockEnabled(tx, accountId);
    await base.consume(tx, confirmation);
    await setEmail(tx, accountId, { email, emailFolded, now });
    await setPassword(tx, accountId, { from, to: by.nobodysHash, now });
    await deps.distrustBrowsers(accountId, tx);
    // Whoever changed it may have asked for more, and changed it again: none of that is theirs to take back.
    await dropConfirmations(tx, accountId, { purposes: [...EMAIL_PURPOSES, "password_reset"] });
    await dropConfirmations(tx, accountId, { purposes: UNDO, since: createdAt });
    await audit.append(tx, { type: "email_change_undone", accountId, ...by.source });
    return base.note(tx, { purpose: "password_reset", accountId, email, emailFolded, origin: {} });
  }

  return {
    async findUndo(token) {
      const { email } = await read(token);
      return { email };
    },
    async undo(token, source) {
      const confirmation = await read(token);
      const { accountId = "" } = confirmation;
      const resetToken = await base.alone(confirmation, async () => {
        const nobodysHash = await deps.hasher.hash(randomToken());
        // As with a reset: before and after.
        await deps.endSessions(accountId, "email_change_undone");
        // In a transaction of its own: whoever changes factors locks them before the account.
        await deps.removeFactorsSince(accountId, confirmation.createdAt, source);
        return db.transaction().execute((tx) => take(tx, confirmation, { nobodysHash, source }));
      });
      await deps.endSessions(accountId, "email_change_undone");
      return resetToken;
    },
  };
}

interface Undoing {
  /** Of a password that nobody knows. */
  readonly nobodysHash: string;
  readonly source: RequestSource;
}

/** The account, which stays as it is until the transaction ends. @throws AppError CONFIRMATION_OVER when it is disabled */
async function lockEnabled(tx: Db, accountId: string): Promise<Credentials> {
  const held = await lockCredentials(tx, accountId);
  if (held === undefined || held.account.disabledAt !== undefined) throw new AppError("CONFIRMATION_OVER");
  return held;
}

/** Two that proved one address in the same moment: the index has let one through. */
function rethrowTaken(error: unknown): never {
  throw isUniqueViolation(error) ? new AppError("ACCOUNT_EMAIL_TAKEN", { cause: error }) : error;
}
