import { sql } from "kysely";
import type { Clock } from "../core/index.ts";
import type { Db } from "../storage/index.ts";
import type { EnrolledDevice, EnrolledPasskey, FactorOverview } from "./factors.ts";
import { authenticatorOf } from "./passkeys/authenticators.ts";
import { withTables } from "./tables.ts";

/** What an account has, oldest first. */
export async function readOverview(
  { db, clock }: { readonly db: Db; readonly clock: Clock },
  accountId: string,
): Promise<FactorOverview> {
  const [totpDevices, passkeys] = [await listTotpDevices(db, accountId), await listPasskeys(db, accountId)];
  // Codes come with the first of these and go with the last.
  const hasCodes = totpDevices.length + passkeys.length > 0;
  const recoveryCodes = hasCodes ? await readRecoveryCodes(db, accountId, new Date(clock.nowMs())) : undefined;
  return { totpDevices, passkeys, recoveryCodes };
}

/** Those of the accounts that have any factor, in one statement. */
export async function findAccountsWithFactors(
  db: Db,
  accountIds: readonly string[],
): Promise<ReadonlyMap<string, true>> {
  const { rows } = await sql<{ account_id: string }>`
    select account_id from totp_devices where account_id = any(${accountIds})
    union all select account_id from passkeys where account_id = any(${accountIds})`.execute(db);
  return new Map(rows.map(({ account_id: accountId }) => [accountId, true]));
}

interface DeviceRow {
  readonly id: string;
  readonly name: string;
  readonly created_at: Date;
  readonly last_used_at: Date | null;
}

function toDevice({ id, name, created_at: addedAt, last_used_at: lastUsedAt }: DeviceRow): EnrolledDevice {
  return { id, name, addedAt, lastUsedAt: lastUsedAt ?? undefined };
}

async function listTotpDevices(db: Db, accountId: string): Promise<readonly EnrolledDevice[]> {
  const rows = await withTables(db)
    .selectFrom("totp_devices")
    .select(["id", "name", "created_at", "last_used_at"])
    .where("account_id", "=", accountId)
    .orderBy("created_at")
    .orderBy("id")
    .execute();
  return rows.map(toDevice);
}

async function listPasskeys(db: Db, accountId: string): Promise<readonly EnrolledPasskey[]> {
  const rows = await withTables(db)
    .selectFrom("passkeys")
    .select(["id", "name", "created_at", "last_used_at", "aaguid", "is_synced", "is_backed_up"])
    .where("account_id", "=", accountId)
    .orderBy("created_at")
    .orderBy("id")
    .execute();
  return rows.map(toPasskey);
}

interface PasskeyRow extends DeviceRow {
  readonly aaguid: string;
  readonly is_synced: boolean;
  readonly is_backed_up: boolean;
}

function toPasskey(row: PasskeyRow): EnrolledPasskey {
  const { aaguid, is_synced: isSynced, is_backed_up: isBackedUp } = row;
  return { ...toDevice(row), isSynced, isBackedUp, authenticator: authenticatorOf(aaguid) };
}

async function readRecoveryCodes(db: Db, accountId: string, now: Date): Promise<FactorOverview["recoveryCodes"]> {
  const set = await withTables(db)
    .selectFrom("recovery_code_sets")
    .select(["created_at", "shown_until"])
    .where("account_id", "=", accountId)
    .executeTakeFirst();
  if (set === undefined) return undefined;
  const codes = await withTables(db)
    .selectFrom("recovery_codes")
    .select("used_at")
    .where("account_id", "=", accountId)
    .execute();
  const left = codes.filter((code) => code.used_at === null).length;
  const isUnconfirmed = set.shown_until !== null && set.shown_until > now;
  return { left, total: codes.length, madeAt: set.created_at, isUnconfirmed };
}
