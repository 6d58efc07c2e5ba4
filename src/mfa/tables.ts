import { sql } from "kysely";
import { hmacSha256 } from "../core/index.ts";
import type { Db } from "../storage/index.ts";

type FactorTables = {
  totp_devices: {
    id: string;
    account_id: string;
    name: string;
    secret: Uint8Array;
    /** A `bigint`: written and compared, never read. */
    last_step: number;
    created_at: Date;
    last_used_at: Date | null;
  };
  totp_enrollments: {
    account_id: string;
    /** A digest. */
    binding: string;
    device_id: string;
    secret: Uint8Array;
    expires_at: Date;
  };
  recovery_code_sets: { account_id: string; created_at: Date; shown: Uint8Array | null; shown_until: Date | null };
  recovery_codes: { account_id: string; position: number; code_hash: string; used_at: Date | null };
  passkeys: {
    id: string;
    account_id: string;
    name: string;
    public_key: Uint8Array;
    /** A `bigint`: written and compared, never read. */
    counter: number;
    transports: string[];
    aaguid: string;
    is_synced: boolean;
    is_backed_up: boolean;
    created_at: Date;
    last_used_at: Date | null;
  };
  answered_challenges: { digest: string; expires_at: Date };
  /** Of the version before; what counts now is in `accounts`. */
  factor_throttle: { subject: string; device: string; attempts: number; ends_at: Date };
};

/** The tables that this folder owns. */
export const withTables = (db: Db) => db.$extendTables<FactorTables>();

const LOCK_SPACE = Buffer.from("latchkey/factors");

/**
 * Holds an account's set of factors until the transaction ends. Whoever adds or removes one has to: how many there are,
 * and whether it is the first or the last, is decided by counting.
 */
export async function holdFactors(tx: Db, accountId: string): Promise<void> {
  const key = hmacSha256(LOCK_SPACE, Buffer.from(accountId)).readBigInt64BE();
  await sql`select pg_advisory_xact_lock(${String(key)}::bigint)`.execute(tx);
}

/** How many devices and passkeys an account has. */
export async function countFactors(
  db: Db,
  accountId: string,
): Promise<{ readonly totpDevices: number; readonly passkeys: number }> {
  const countIn = async (table: "totp_devices" | "passkeys"): Promise<number> => {
    const query = withTables(db)
      .selectFrom(table)
      .select(({ fn }) => fn.countAll().as("count"));
    return Number((await query.where("account_id", "=", accountId).executeTakeFirst())?.count ?? 0);
  };
  return { totpDevices: await countIn("totp_devices"), passkeys: await countIn("passkeys") };
}
