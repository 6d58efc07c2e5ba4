import { type Clock, randomToken, sha256 } from "../core/index.ts";
import type { Account } from "./account.ts";
import { type Db, DELETE_BATCH, deleteInBatches, guardStore } from "../storage/index.ts";

const LIFETIME_DAYS = 180;
/** So long a person is about to sign in for the first time, in the browser in which they created the account. */
const FIRST_SIGN_IN_MS = 60 * 60 * 1_000;
const DAY_MS = 24 * 60 * 60 * 1_000;
const DEVICES_MAX = 50;
/** 256 bits in base64url. */
const TOKEN = /^[\w-]{43}$/;

/** A browser in which a second factor of the account was proved before. */
export interface KnownDevice {
  /** A digest of what its cookie holds. */
  readonly id: string;
  /** Whether the person said that it is to be asked for no second factor, and that still holds. */
  readonly isTrusted: boolean;
}

/**
 * What was proved in a browser. `factor` makes it known, with what follows for second factors; by a `password` it is seen
 * and no more, so that the person hears of another one.
 */
export type ProvedBy = "password" | "factor";

/** The browsers that people have signed in with. Only digests of their tokens are stored. */
export interface KnownDevices {
  /** `token` is what the browser's cookie holds: untrusted. */
  recognize(accountId: string, token: string | undefined): Promise<KnownDevice | undefined>;
  /**
   * Whether a sign-in from this browser would be news to the person: it was not seen before, and is not the one in which
   * they have just created the account.
   */
  isNews(account: Pick<Account, "id" | "createdAt">, token: string | undefined): Promise<boolean>;
  /**
   * Notes that this browser completed a sign-in, and returns the token for its cookie. It is the same one where the
   * account knows it by as much; otherwise it is new, so that nobody can plant a token that they know themselves.
   */
  note(accountId: string, token: string | undefined, options?: NoteOptions): Promise<string>;
  /** No browser of the account is trusted any more. `tx`: the transaction of the change that it follows from. */
  distrust(accountId: string, tx?: Db): Promise<void>;
  /** Deletes what was not used for too long; returns how many. */
  sweep(): Promise<number>;
}

export interface NoteOptions {
  /** A factor when absent. */
  readonly provedBy?: ProvedBy | undefined;
  readonly trustForSeconds?: number | undefined;
}

interface KnownDeviceTable {
  account_id: string;
  device: string;
  created_at: Date;
  last_used_at: Date;
  expires_at: Date;
  trusted_until: Date | null;
}

interface Deps {
  readonly db: Db;
  readonly clock: Clock;
}

const withTables = (db: Db) => db.$extendTables<{ known_devices: KnownDeviceTable }>();

/** Rows live for 180 days from their last use, the 50 newest of an account. */
export function createKnownDevices({ db, clock }: Deps): KnownDevices {
  const now = () => new Date(clock.nowMs());
  async function recognize(accountId: string, token: string | undefined): Promise<KnownDevice | undefined> {
    if (token === undefined || !TOKEN.test(token)) return undefined;
    const row = await withTables(db)
      .selectFrom("known_devices")
      .select(["device", "trusted_until"])
      .where("account_id", "=", accountId)
      .where("device", "=", digestOf(token, "factor"))
      .where("expires_at", ">", now())
      .executeTakeFirst();
    return row && { id: row.device, isTrusted: row.trusted_until !== null && row.trusted_until > now() };
  }
  return {
    recognize: (accountId, token) => guardStore(() => recognize(accountId, token)),
    isNews: ({ id, createdAt }, token) =>
      guardStore(async () => {
        const devices = await listDevices(db, id, now());
        if (devices.size === 0) return clock.nowMs() - createdAt.getTime() > FIRST_SIGN_IN_MS;
        return !isAmong(devices, token, "password");
      }),
    note: (accountId, token, { provedBy = "factor", trustForSeconds } = {}) =>
      guardStore(async () => {
        const devices = await listDevices(db, accountId, now());
        const kept = token !== undefined && isAmong(devices, token, provedBy) ? token : randomToken();
        await db.transaction().execute(async (tx) => {
          if (kept !== token && token !== undefined && TOKEN.test(token)) await rename(tx, token, kept);
          await noteUse(tx, { accountId, device: digestOf(kept, provedBy), now: now(), trustForSeconds });
          await dropOldest(tx, accountId, provedBy);
        });
        return kept;
      }),
    distrust: (accountId, tx = db) =>
      guardStore(async () => {
        await withTables(tx)
          .updateTable("known_devices")
          .set({ trusted_until: null })
          .where("account_id", "=", accountId)
          .where("trusted_until", "is not", null)
          .execute();
      }),
    sweep: () => guardStore(() => deleteInBatches(() => deleteSomeExpired(db, now()))),
  };
}

/** Stands before the digest of a browser that was only seen, which is not found as one that is known. */
const SEEN = "seen.";

/** What a browser's token may be found by, for queries of this folder; something that nobody has where there is none. */
export function deviceDigests(token: string | undefined): Readonly<Record<ProvedBy, string>> {
  const known = token !== undefined && TOKEN.test(token) ? token : "";
  return { factor: digestOf(known, "factor"), password: digestOf(known, "password") };
}

function digestOf(token: string, provedBy: ProvedBy): string {
  const digest = sha256(token).toString("base64url");
  return provedBy === "factor" ? digest : `${SEEN}${digest}`;
}

async function listDevices(db: Db, accountId: string, now: Date): Promise<ReadonlySet<string>> {
  const rows = await withTables(db)
    .selectFrom("known_devices")
    .select("device")
    .where("account_id", "=", accountId)
    .where("expires_at", ">", now)
    .execute();
  return new Set(rows.map(({ device }) => device));
}

/** Whether at least as much was proved in this browser. */
function isAmong(devices: ReadonlySet<string>, token: string | undefined, provedBy: ProvedBy): boolean {
  if (token === undefined || !TOKEN.test(token)) return false;
  return (
    devices.has(digestOf(token, "factor")) || (provedBy === "password" && devices.has(digestOf(token, "password")))
  );
}

/** The browser gets another token: whoever else uses it stays known, and whoever else has the old one is not. */
async function rename(tx: Db, from: string, to: string): Promise<void> {
  for (const provedBy of ["factor", "password"] as const) {
    await withTables(tx)
      .updateTable("known_devices")
      .set({ device: digestOf(to, provedBy) })
      .where("device", "=", digestOf(from, provedBy))
      .execute();
  }
}

interface Use {
  readonly accountId: string;
  readonly device: string;
  readonly now: Date;
  readonly trustForSeconds: number | undefined;
}

/** The person set a new password in this browser: it has seen that one, too. Nothing where the browser is not known. */
export async function confirmDevice(tx: Db, accountId: string, { token, now }: SeenAgain): Promise<void> {
  const { factor, password } = deviceDigests(token);
  await withTables(tx)
    .updateTable("known_devices")
    .set({ last_used_at: now })
    .where("account_id", "=", accountId)
    .where("device", "in", [factor, password])
    .execute();
}

interface SeenAgain {
  readonly token: string | undefined;
  readonly now: Date;
}

async function noteUse(tx: Db, { accountId, device, now, trustForSeconds }: Use): Promise<void> {
  const lifetime = { last_used_at: now, expires_at: new Date(now.getTime() + LIFETIME_DAYS * DAY_MS) };
  const trust =
    trustForSeconds === undefined ? {} : { trusted_until: new Date(now.getTime() + trustForSeconds * 1_000) };
  await withTables(tx)
    .insertInto("known_devices")
    .values({ account_id: accountId, device, created_at: now, trusted_until: null, ...lifetime, ...trust })
    .onConflict((conflict) => conflict.columns(["account_id", "device"]).doUpdateSet({ ...lifetime, ...trust }))
    .execute();
}

/** Each kind by itself: whoever has the password alone must not push out what a factor was proved in. */
async function dropOldest(tx: Db, accountId: string, provedBy: ProvedBy): Promise<void> {
  const tables = withTables(tx);
  const surplus = tables
    .selectFrom("known_devices")
    .select("device")
    .where("account_id", "=", accountId)
    .where("device", provedBy === "factor" ? "not like" : "like", `${SEEN}%`)
    .orderBy("last_used_at", "desc")
    .orderBy("device")
    .offset(DEVICES_MAX);
  await tables.deleteFrom("known_devices").where("account_id", "=", accountId).where("device", "in", surplus).execute();
}

async function deleteSomeExpired(db: Db, now: Date): Promise<bigint> {
  const tables = withTables(db);
  const some = tables
    .selectFrom("known_devices")
    .select(["account_id", "device"])
    .where("expires_at", "<=", now)
    .limit(DELETE_BATCH);
  const { numDeletedRows } = await tables
    .deleteFrom("known_devices")
    .where((builder) => builder.refTuple("account_id", "device"), "in", some.$asTuple("account_id", "device"))
    .where("expires_at", "<=", now)
    .executeTakeFirst();
  return numDeletedRows;
}
