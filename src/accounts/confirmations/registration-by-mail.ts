import { AppError } from "../../core/index.ts";
import type { Db } from "../../storage/index.ts";
import type { Account, RequestSource } from "../account.ts";
import { AccountFieldInvalidError } from "../account-input-errors.ts";
import { findCredentials } from "../account-records.ts";
import { type EmailAddress, parseEmail } from "../email-address.ts";
import type { Register } from "../registration.ts";
import { CONFIRMATION_SECONDS, type ConfirmationOrigin, type ConfirmationRequest } from "./confirmation.ts";
import type { ConfirmationBase, ConfirmationDependencies } from "./confirmation-base.ts";
import { isReserved } from "./confirmation-records.ts";

/** What a person typed. Untrusted. */
export interface EmailInput {
  readonly email: string;
  /** Of the page that they typed it into, for the mail. */
  readonly locale: string | undefined;
  readonly source: RequestSource;
}

/** What a person chooses once the address is proved. Untrusted. */
export interface NewcomerInput {
  readonly name: string;
  readonly password: string;
  readonly locale: string | undefined;
  readonly source: RequestSource;
}

/** Somebody who may create an account, for a moment more. */
export interface Newcomer {
  readonly email: string;
  readonly origin: ConfirmationOrigin;
}

export interface Invitation {
  readonly email: string;
  /** Where mails reach nobody: what the link carries, for the operator to pass on. */
  readonly token: string;
  readonly isMailed: boolean;
  readonly expiresAt: Date;
}

/**
 * Creating an account by proving an address first. Who proves it chooses name and password, and nobody else: an account
 * that somebody prepared for another's address would wait there with a password that they know.
 */
export interface RegistrationByMail {
  /**
   * Returns the id that the code belongs to. Nothing in it, nor in the time that it takes, tells whether the address has
   * an account; its owner is told by mail.
   *
   * @throws AccountFieldInvalidError for what is no address, AppError THROTTLED
   */
  begin(input: EmailInput & { readonly origin: ConfirmationOrigin }): Promise<string>;
  /** By an operator. @throws AccountFieldInvalidError, AppError ACCOUNT_EMAIL_TAKEN */
  invite(input: { readonly email: string; readonly locale: string | undefined }): Promise<Invitation>;
  /** @throws AppError CONFIRMATION_OVER */
  find(token: string): Promise<Newcomer>;
  /**
   * @throws AppError CONFIRMATION_OVER; ACCOUNT_EMAIL_TAKEN when somebody was faster; and what `Accounts.register`
   * throws.
   */
  complete(token: string, input: NewcomerInput): Promise<Account>;
}

const PURPOSES = ["registration", "invitation"] as const;

type Dependencies = ConfirmationDependencies & { readonly register: Register };

export function createRegistrationByMail(deps: Dependencies, base: ConfirmationBase): RegistrationByMail {
  const { db, clock, audit, mails, register } = deps;

  async function isTaken(tx: Db, { folded }: EmailAddress): Promise<boolean> {
    const owner = await findCredentials(tx, folded);
    const reserved = await isReserved(tx, folded, { now: new Date(clock.nowMs()) });
    return owner !== undefined || reserved;
  }

  return {
    async begin({ email, locale, source, origin }) {
      const address = requireEmail(email);
      await base.countOrRefuse("registration", address.folded, source);
      const taken = await isTaken(db, address);
      return base.begin({
        ...pending(address, origin),
        purpose: "registration",
        to: address.address,
        mail: taken ? undefined : "confirm.registration",
        otherwise: "confirm.have_account",
        locale,
        event: { type: "registration_requested", ...source },
      });
    },
    async invite({ email, locale }) {
      const address = requireEmail(email);
      return db.transaction().execute(async (tx) => {
        if (await isTaken(tx, address)) throw new AppError("ACCOUNT_EMAIL_TAKEN");
        const token = await base.note(tx, { ...pending(address, {}), purpose: "invitation" });
        const expiresAt = new Date(clock.nowMs() + CONFIRMATION_SECONDS.invitation * 1_000);
        await audit.append(tx, { type: "invitation_sent" });
        await mails.enqueue(tx, { kind: "confirm.invitation", to: address.address, locale, variables: { token } });
        return { email: address.address, token, isMailed: mails.isConfigured, expiresAt };
      });
    },
    async find(token) {
      const { email, origin } = await base.get(token, PURPOSES);
      return { email, origin };
    },
    async complete(token, { source, ...person }) {
      const confirmation = await base.get(token, PURPOSES);
      const { email } = confirmation;
      return register({ ...person, email }, source, { confirm: (tx) => base.consume(tx, confirmation) });
    },
  };
}

function pending(address: EmailAddress, origin: ConfirmationOrigin): Omit<ConfirmationRequest, "purpose"> {
  return { accountId: undefined, email: address.address, emailFolded: address.folded, origin };
}

/** @throws AccountFieldInvalidError */
export function requireEmail(typed: string): EmailAddress {
  const address = parseEmail(typed);
  if (address === undefined) throw new AccountFieldInvalidError("email");
  return address;
}
