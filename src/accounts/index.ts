/**
 * People's accounts: registration, passwords, sign-in and its throttle, profile, disabling, removal, the browsers that are
 * known, and what people prove by reading their mail (`confirmations/`: creating an account, another address, a
 * forgotten password).
 *
 * A sign-in is counted per account and per address, then the account is looked up, then the password is verified, then
 * the outcome is recorded: the same steps for accounts that do not exist. Registration is decided by the unique index
 * on the folded address. What is to be proved by mail is noted with the mail, in one transaction, whether or not the
 * address leads anywhere; a link or a code uses it up in the transaction of what it allows.
 *
 * People come from other systems, too (`import/`), with hashes of many kinds (`passwords/foreign/`), which are made
 * anew with ours at the first sign-in that is right.
 *
 * Invariants: ids are random, or were somebody's elsewhere, and never reused; a password is checked before it is hashed and never cut off; hashing is
 * bounded, so that sign-ins cannot stop the issuing of tokens; no password hash leaves this folder; when the database
 * does not count, nobody signs in.
 */
export type { Account, RequestSource } from "./account.ts";
export { AccountFieldInvalidError, PasswordUnacceptableError } from "./account-input-errors.ts";
export { accountIdsAmong, discardProofs, findAccountById } from "./account-records.ts";
export { type Accounts, type AccountsDependencies, createAccounts } from "./accounts.ts";
export type { AccountsByMail } from "./confirmations/accounts-by-mail.ts";
export type { ConfirmationOrigin } from "./confirmations/confirmation.ts";
export { EMAIL_PURPOSES } from "./confirmations/email-change.ts";
export type { ConfirmationMails } from "./confirmations/mails.ts";
export type { ResettingPerson } from "./confirmations/password-reset.ts";
export { createKnownDevices, type KnownDevices, type NoteOptions } from "./known-devices.ts";
export { networkOf } from "./network-of.ts";
export { parseVisibleText } from "./profile.ts";
export { type BudgetPlace, createBudgets } from "./throttle/budgets.ts";
export { CODE_BUDGET } from "./throttle/limits.ts";
export { createWindowsInPostgres } from "./throttle/windows-in-postgres.ts";
export { createThrottle, type Throttle } from "./throttle/throttle.ts";
