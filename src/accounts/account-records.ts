import { type Selectable, sql } from "kysely";
import type { Db } from "../storage/index.ts";
import type { Account } from "./account.ts";
import type { EmailAddress } from "./email-address.ts";

export interface AccountTable {
  id: string;
  email: string;
  /** {@link EmailAddress.folded}: unique, and the only column that an address is looked up by. */
  email_folded: string;
  email_verified: boolean;
  name: string;
  locale: string | null;
  password_hash: string;
  password_changed_at: Date;
  proofs_since: Date | null;
  created_at: Date;
  updated_at: Date;
  disabled_at: Date | null;
}

/** Of the ids that we make. */
export const ACCOUNT_ID_BYTES = 16;

export const withAccountTables = (db: Db) => db.$extendTables<{ accounts: AccountTable }>();

/** An account together with what its password is checked against. Stays inside this folder. */
export interface Credentials {
  readonly account: Account;
  readonly passwordHash: string;
  /** {@link EmailAddress.folded} */
  readonly emailFolded: string;
}

export interface NewAccount {
  readonly id: string;
  readonly email: EmailAddress;
  readonly emailVerified: boolean;
  readonly name: string;
  readonly locale: string | undefined;
  readonly passwordHash: string;
  readonly createdAt: Date;
}

/**
 * Adds an account; `undefined` when its address is taken. The unique index decides, so that of any number of parallel
 * registrations one wins, and the transaction stays usable for the others.
 */
export async function insertAccount(tx: Db, account: NewAccount): Promise<Account | undefined> {
  const row = await withAccountTables(tx)
    .insertInto("accounts")
    .values({
      id: account.id,
      email: account.email.address,
      email_folded: account.email.folded,
      email_verified: account.emailVerified,
      name: account.name,
      locale: account.locale ?? null,
      password_hash: account.passwordHash,
      password_changed_at: account.createdAt,
      proofs_since: null,
      created_at: account.createdAt,
      updated_at: account.createdAt,
      disabled_at: null,
    })
    .onConflict((conflict) => conflict.column("email_folded").doNothing())
    .returningAll()
    .executeTakeFirst();
  return row && toAccount(row);
}

export async function findAccountById(db: Db, id: string): Promise<Account | undefined> {
  const row = await withAccountTables(db).selectFrom("accounts").selectAll().where("id", "=", id).executeTakeFirst();
  return row && toAccount(row);
}

/** In one statement. Who is not there is not in the answer. */
export async function findAccountsById(db: Db, ids: readonly string[]): Promise<ReadonlyMap<string, Account>> {
  const rows = await withAccountTables(db)
    .selectFrom("accounts")
    .selectAll()
    .where("id", "=", sql<string>`any(${ids})`)
    .execute();
  return new Map(rows.map((row) => [row.id, toAccount(row)]));
}

/** Those of the ids that accounts have. */
export async function accountIdsAmong(db: Db, ids: readonly string[]): Promise<ReadonlySet<string>> {
  if (ids.length === 0) return new Set();
  const rows = await withAccountTables(db)
    .selectFrom("accounts")
    .select("id")
    .where("id", "=", sql<string>`any(${ids})`)
    .execute();
  return new Set(rows.map(({ id }) => id));
}

export async function findCredentials(db: Db, emailFolded: string): Promise<Credentials | undefined> {
  const row = await withAccountTables(db)
    .selectFrom("accounts")
    .selectAll()
    .where("email_folded", "=", emailFolded)
    .executeTakeFirst();
  return row && toCredentials(row);
}

export async function findCredentialsById(db: Db, id: string): Promise<Credentials | undefined> {
  const row = await withAccountTables(db).selectFrom("accounts").selectAll().where("id", "=", id).executeTakeFirst();
  return row && toCredentials(row);
}

/** Accounts in the order of their ids, beginning after the id `after`. */
export async function listAccounts(db: Db, limit: number, after: string): Promise<readonly Account[]> {
  const rows = await withAccountTables(db)
    .selectFrom("accounts")
    .selectAll()
    .where("id", ">", after)
    .orderBy("id")
    .limit(limit)
    .execute();
  return rows.map(toAccount);
}

/** Disables or, with `undefined`, enables an account; `undefined` when it is so already or does not exist. */
export async function setDisabledAt(
  tx: Db,
  id: string,
  change: { readonly disabledAt: Date | undefined; readonly now: Date },
): Promise<Account | undefined> {
  const row = await withAccountTables(tx)
    .updateTable("accounts")
    .set({ disabled_at: change.disabledAt ?? null, updated_at: change.now })
    .where("id", "=", id)
    .where("disabled_at", change.disabledAt === undefined ? "is not" : "is", null)
    .returningAll()
    .executeTakeFirst();
  return row && toAccount(row);
}

/**
 * Whether the account is enabled, and stays so until the transaction ends. The lock is the one that a change of hash
 * takes: two sign-ins that shared a weaker one and then both rehashed would wait for each other.
 */
export async function holdEnabled(tx: Db, id: string): Promise<boolean> {
  const row = await withAccountTables(tx)
    .selectFrom("accounts")
    .select("id")
    .where("id", "=", id)
    .where("disabled_at", "is", null)
    .forNoKeyUpdate()
    .executeTakeFirst();
  return row !== undefined;
}

/** Replaces a hash unless somebody else did so first: a new password must not be undone by rehashing the old one. */
export async function replacePasswordHash(
  tx: Db,
  id: string,
  change: { readonly from: string; readonly to: string },
): Promise<void> {
  await withAccountTables(tx)
    .updateTable("accounts")
    .set({ password_hash: change.to })
    .where("id", "=", id)
    .where("password_hash", "=", change.from)
    .execute();
}

/** One hash in the place of another. */
export interface PasswordReplacement {
  readonly from: string;
  readonly to: string;
  readonly now: Date;
}

/** Sets a new password if the account is enabled and nobody else changed the password meanwhile. */
export async function setPassword(tx: Db, id: string, change: PasswordReplacement): Promise<Account | undefined> {
  const row = await withAccountTables(tx)
    .updateTable("accounts")
    .set({
      password_hash: change.to,
      password_changed_at: change.now,
      proofs_since: change.now,
      updated_at: change.now,
    })
    .where("id", "=", id)
    .where("password_hash", "=", change.from)
    .where("disabled_at", "is", null)
    .returningAll()
    .executeTakeFirst();
  return row && toAccount(row);
}

/**
 * Sets the password of who proved that they read the account's mail, by which the address is proved, too. As
 * {@link setPassword} it takes effect only while the password is the one that was seen before.
 */
export async function resetPassword(tx: Db, id: string, change: PasswordReplacement): Promise<Account | undefined> {
  const changed = await setPassword(tx, id, change);
  if (changed === undefined) return undefined;
  await withAccountTables(tx).updateTable("accounts").set({ email_verified: true }).where("id", "=", id).execute();
  return { ...changed, emailVerified: true };
}

/** An address that was proved a moment ago. The unique index refuses one that another account has. */
export async function setEmail(
  tx: Db,
  id: string,
  change: { readonly email: string; readonly emailFolded: string; readonly now: Date },
): Promise<void> {
  await withAccountTables(tx)
    .updateTable("accounts")
    .set({ email: change.email, email_folded: change.emailFolded, email_verified: true, updated_at: change.now })
    .where("id", "=", id)
    .execute();
}

export async function setProfile(
  tx: Db,
  id: string,
  change: { readonly name: string; readonly locale: string | undefined; readonly now: Date },
): Promise<void> {
  await withAccountTables(tx)
    .updateTable("accounts")
    .set({ name: change.name, locale: change.locale ?? null, updated_at: change.now })
    .where("id", "=", id)
    .execute();
}

/** Reads an account and keeps everybody else from changing it, or adding what refers to it, until the transaction ends. */
export async function lockAccount(tx: Db, id: string): Promise<Account | undefined> {
  return (await lockCredentials(tx, id))?.account;
}

/** {@link lockAccount}, with what stays in this folder. */
export async function lockCredentials(tx: Db, id: string): Promise<Credentials | undefined> {
  const row = await withAccountTables(tx)
    .selectFrom("accounts")
    .selectAll()
    .where("id", "=", id)
    .forUpdate()
    .executeTakeFirst();
  return row && toCredentials(row);
}

export async function deleteAccount(tx: Db, id: string): Promise<void> {
  await withAccountTables(tx).deleteFrom("accounts").where("id", "=", id).execute();
}

/** What somebody proved of this account before, half way through a sign-in, counts for nothing from now on. */
export async function discardProofs(tx: Db, id: string, now: Date): Promise<void> {
  await withAccountTables(tx).updateTable("accounts").set({ proofs_since: now }).where("id", "=", id).execute();
}

function toCredentials(row: Selectable<AccountTable>): Credentials {
  return { account: toAccount(row), passwordHash: row.password_hash, emailFolded: row.email_folded };
}

function toAccount(row: Selectable<AccountTable>): Account {
  return {
    id: row.id,
    email: row.email,
    emailVerified: row.email_verified,
    name: row.name,
    locale: row.locale ?? undefined,
    passwordChangedAt: row.password_changed_at,
    proofsSince: row.proofs_since ?? undefined,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    disabledAt: row.disabled_at ?? undefined,
  };
}
