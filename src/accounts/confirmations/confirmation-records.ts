import { type Selectable, sql } from "kysely";
import { type Db, DELETE_BATCH } from "../../storage/index.ts";
import type { Confirmation, ConfirmationPurpose } from "./confirmation.ts";

interface ConfirmationTable {
  id: string;
  purpose: ConfirmationPurpose;
  account_id: string | null;
  email: string;
  email_folded: string;
  /** `false` where the mail had nothing in it that could be used: nothing but an answer that looks alike comes of it. */
  leads_somewhere: boolean;
  /** Keyed; `null` where the mail had no code. */
  code_digest: string | null;
  tries: number;
  /** What stands behind a second factor is not to be had by mail alone. */
  factor_proved: boolean;
  interaction_uid: string | null;
  restart_token: string | null;
  created_at: Date;
  expires_at: Date;
}

const withTables = (db: Db) => db.$extendTables<{ account_confirmations: ConfirmationTable }>();

export interface NewConfirmation extends Omit<Confirmation, "isFactorProved"> {
  readonly leadsSomewhere: boolean;
  readonly codeDigest: string | undefined;
  readonly expiresAt: Date;
}

export async function insertConfirmation(tx: Db, confirmation: NewConfirmation): Promise<void> {
  await withTables(tx)
    .insertInto("account_confirmations")
    .values({
      id: confirmation.id,
      purpose: confirmation.purpose,
      account_id: confirmation.accountId ?? null,
      email: confirmation.email,
      email_folded: confirmation.emailFolded,
      leads_somewhere: confirmation.leadsSomewhere,
      code_digest: confirmation.codeDigest ?? null,
      tries: 0,
      factor_proved: false,
      interaction_uid: confirmation.origin.interactionUid ?? null,
      restart_token: confirmation.origin.restartToken ?? null,
      created_at: confirmation.createdAt,
      expires_at: confirmation.expiresAt,
    })
    .execute();
}

/** One that lives, and of this purpose: what was made for another is not found. */
export interface Sought {
  readonly id: string;
  readonly purposes: readonly ConfirmationPurpose[];
  readonly now: Date;
}

/** What a link leads to; one that leads nowhere has no link. */
export async function findConfirmation(db: Db, { id, purposes, now }: Sought): Promise<Confirmation | undefined> {
  const row = await withTables(db)
    .selectFrom("account_confirmations")
    .selectAll()
    .where("id", "=", id)
    .where("purpose", "in", purposes)
    .where("leads_somewhere", "=", true)
    .where("expires_at", ">", now)
    .executeTakeFirst();
  return row && toConfirmation(row);
}

/** The address that was typed, whether or not it leads anywhere: for the page that asks for the code. */
export async function findTypedEmail(db: Db, { id, purposes, now }: Sought): Promise<string | undefined> {
  const row = await withTables(db)
    .selectFrom("account_confirmations")
    .select("email")
    .where("id", "=", id)
    .where("purpose", "in", purposes)
    .where("expires_at", ">", now)
    .executeTakeFirst();
  return row?.email;
}

export async function noteFactorProved(db: Db, id: string): Promise<void> {
  await withTables(db).updateTable("account_confirmations").set({ factor_proved: true }).where("id", "=", id).execute();
}

export interface CodeTry {
  readonly purpose: ConfirmationPurpose;
  readonly emailFolded: string;
  readonly codeDigest: string | undefined;
  readonly leadsSomewhere: boolean;
}

/**
 * Counts a try at the code; `undefined` when there is none left. Counting and comparing are one statement, so that of any
 * number of parallel tries no more than `triesMax` are looked at.
 */
export async function countTry(db: Db, { id, purposes, now }: Sought, triesMax: number): Promise<CodeTry | undefined> {
  const row = await withTables(db)
    .updateTable("account_confirmations")
    .set(({ eb }) => ({ tries: eb("tries", "+", 1) }))
    .where("id", "=", id)
    .where("purpose", "in", purposes)
    .where("tries", "<", triesMax)
    .where("expires_at", ">", now)
    .returning(["purpose", "email_folded", "code_digest", "leads_somewhere"])
    .executeTakeFirst();
  if (row === undefined) return undefined;
  const { purpose, email_folded: emailFolded, code_digest: codeDigest, leads_somewhere: leadsSomewhere } = row;
  return { purpose, emailFolded, codeDigest: codeDigest ?? undefined, leadsSomewhere };
}

/** Uses one up, in the transaction of what it allows; `false` when somebody else did, or it is over. */
export async function consumeConfirmation(tx: Db, { id, purposes, now }: Sought): Promise<boolean> {
  const { numDeletedRows } = await withTables(tx)
    .deleteFrom("account_confirmations")
    .where("id", "=", id)
    .where("purpose", "in", purposes)
    .where("leads_somewhere", "=", true)
    .where("expires_at", ">", now)
    .executeTakeFirst();
  return numDeletedRows > 0n;
}

/** What an account has under way comes to nothing. `since`: only what was begun then or later. */
export async function dropConfirmations(
  tx: Db,
  accountId: string,
  { purposes, since = new Date(0) }: { readonly purposes: readonly ConfirmationPurpose[]; readonly since?: Date },
): Promise<void> {
  await withTables(tx)
    .deleteFrom("account_confirmations")
    .where("account_id", "=", accountId)
    .where("purpose", "in", purposes)
    .where("created_at", ">=", since)
    .execute();
}

/** One of several invitations was used: the others are not to make another account, should this one be gone one day. */
export async function dropInvitations(tx: Db, emailFolded: string): Promise<void> {
  await withTables(tx)
    .deleteFrom("account_confirmations")
    .where("email_folded", "=", emailFolded)
    .where("purpose", "=", "invitation")
    .execute();
}

interface ReservedFor {
  readonly now: Date;
  /** The account that may have its own again. */
  readonly exceptFor?: string | undefined;
}

/** Whether another account had this address until lately and may still take it back. */
export async function isReserved(db: Db, emailFolded: string, options: ReservedFor): Promise<boolean> {
  return (await reservedAmong(db, [emailFolded], options)).has(emailFolded);
}

/** Those of these addresses, folded, that another account had until lately and may still take back. */
export async function reservedAmong(
  db: Db,
  emails: readonly string[],
  { now, exceptFor }: ReservedFor,
): Promise<ReadonlySet<string>> {
  const rows = await withTables(db)
    .selectFrom("account_confirmations")
    .select(["email_folded", "account_id"])
    .where("email_folded", "=", sql<string>`any(${emails})`)
    .where("purpose", "=", "email_undo")
    .where("expires_at", ">", now)
    .execute();
  return new Set(rows.filter((row) => row.account_id !== exceptFor).map((row) => row.email_folded));
}

export async function deleteSomeExpired(db: Db, now: Date): Promise<bigint> {
  const tables = withTables(db);
  const some = tables
    .selectFrom("account_confirmations")
    .select("id")
    .where("expires_at", "<=", now)
    .limit(DELETE_BATCH);
  const { numDeletedRows } = await tables
    .deleteFrom("account_confirmations")
    .where("id", "in", some)
    .executeTakeFirst();
  return numDeletedRows;
}

function toConfirmation(row: Selectable<ConfirmationTable>): Confirmation {
  return {
    id: row.id,
    purpose: row.purpose,
    accountId: row.account_id ?? undefined,
    email: row.email,
    emailFolded: row.email_folded,
    origin: { interactionUid: row.interaction_uid ?? undefined, restartToken: row.restart_token ?? undefined },
    isFactorProved: row.factor_proved,
    createdAt: row.created_at,
  };
}
