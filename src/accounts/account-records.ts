import type { Selectable } from "kysely";
import type { Db } from "../storage/index.ts";
import type { Account } from "./account.ts";
import type { EmailAddress } from "./email-address.ts";

interface AccountTable {
  id: string;
  email: string;
  /** {@link EmailAddress.folded}: unique, and the only column that an address is looked up by. */
  email_folded: string;
  email_verified: boolean;
  name: string;
  locale: string | null;
  password_hash: string;
  created_at: Date;
  updated_at: Date;
  disabled_at: Date | null;
}

const withTables = (db: Db) => db.$extendTables<{ accounts: AccountTable }>();

/** An account together with what its password is checked against. Stays inside this folder. */
export interface Credentials {
  readonly account: Account;
  readonly passwordHash: string;
}

export interface NewAccount {
  readonly id: string;
  readonly email: EmailAddress;
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
  const row = await withTables(tx)
    .insertInto("accounts")
    .values({
      id: account.id,
      email: account.email.address,
      email_folded: account.email.folded,
      email_verified: false,
      name: account.name,
      locale: account.locale ?? null,
      password_hash: account.passwordHash,
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
  const row = await withTables(db).selectFrom("accounts").selectAll().where("id", "=", id).executeTakeFirst();
  return row && toAccount(row);
}

export async function findCredentials(db: Db, emailFolded: string): Promise<Credentials | undefined> {
  const row = await withTables(db)
    .selectFrom("accounts")
    .selectAll()
    .where("email_folded", "=", emailFolded)
    .executeTakeFirst();
  return row && { account: toAccount(row), passwordHash: row.password_hash };
}

/** Accounts in the order of their ids, beginning after the id `after`. */
export async function listAccounts(db: Db, limit: number, after: string): Promise<readonly Account[]> {
  const rows = await withTables(db)
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
  const row = await withTables(tx)
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
  const row = await withTables(tx)
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
  await withTables(tx)
    .updateTable("accounts")
    .set({ password_hash: change.to })
    .where("id", "=", id)
    .where("password_hash", "=", change.from)
    .execute();
}

function toAccount(row: Selectable<AccountTable>): Account {
  return {
    id: row.id,
    email: row.email,
    emailVerified: row.email_verified,
    name: row.name,
    locale: row.locale ?? undefined,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    disabledAt: row.disabled_at ?? undefined,
  };
}
