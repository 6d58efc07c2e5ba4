import { CompiledQuery } from "kysely";
import { RateLimiterPostgres, RateLimiterRes } from "rate-limiter-flexible";
import { type Clock, sha256 } from "../core/index.ts";
import type { Db } from "../storage/index.ts";
import { networkOf } from "./network-of.ts";

const TABLE = "account_throttle";
const ACCOUNT_ATTEMPTS_MAX = 10;
const ACCOUNT_WINDOW_SECONDS = 15 * 60;
const ADDRESS_ATTEMPTS_MAX = 50;
const ADDRESS_WINDOW_SECONDS = 60;
const REGISTRATIONS_MAX = 30;
const REGISTRATION_WINDOW_SECONDS = 10 * 60;

export type ThrottleVerdict = { readonly verdict: "open" } | ClosedVerdict;

export interface ClosedVerdict {
  readonly verdict: "closed";
  readonly by: "account" | "address";
  readonly retryAfterSeconds: number;
  /** Whether this is the attempt that reached the limit, and not one of those that followed. */
  readonly isFirst: boolean;
}

/** Limits how often passwords are guessed (ASVS 6.3.1). */
export interface SignInThrottle {
  /**
   * Counts an attempt and says whether it may go on. To be called before the password is looked at: counting and
   * comparing are one statement, so that of 200 parallel attempts no more than the limit are ever evaluated.
   */
  count(attempt: { readonly emailFolded: string; readonly address: string }): Promise<ThrottleVerdict>;
  /** Counts an attempt to create an account: by address, for the answer tells whether an e-mail address is taken. */
  countRegistration(address: string): Promise<ThrottleVerdict>;
  /** Gives an account its attempts back after a success. The address keeps its count: it may be guessing others. */
  forgive(emailFolded: string): Promise<void>;
  /** Removes counters whose window is over; returns how many. */
  sweep(): Promise<number>;
}

/**
 * Counts in Postgres, per account and per address, in windows that begin with the first attempt.
 *
 * Every failure of the database surfaces: without counting nobody signs in. The windows follow the system's time, which
 * the limiter reads by itself. An attempt from an address that is over its limit does not count for the account, so
 * that one machine cannot lock out many people.
 */
export function createSignInThrottle({ db, clock }: { readonly db: Db; readonly clock: Clock }): SignInThrottle {
  const perAccount = createLimiter(db, "account", { points: ACCOUNT_ATTEMPTS_MAX, duration: ACCOUNT_WINDOW_SECONDS });
  const perAddress = createLimiter(db, "address", { points: ADDRESS_ATTEMPTS_MAX, duration: ADDRESS_WINDOW_SECONDS });
  const registrations = createLimiter(db, "registration", {
    points: REGISTRATIONS_MAX,
    duration: REGISTRATION_WINDOW_SECONDS,
  });
  return {
    async countRegistration(address) {
      return (await consume(registrations, keyOf(networkOf(address)), "address")) ?? { verdict: "open" };
    },
    async count({ emailFolded, address }) {
      const byAddress = await consume(perAddress, keyOf(networkOf(address)), "address");
      if (byAddress !== undefined) return byAddress;
      return (await consume(perAccount, keyOf(emailFolded), "account")) ?? { verdict: "open" };
    },
    async forgive(emailFolded) {
      await perAccount.delete(keyOf(emailFolded));
    },
    async sweep() {
      const tables = db.$extendTables<{ [TABLE]: { key: string; points: number; expire: string | number } }>();
      const { numDeletedRows } = await tables.deleteFrom(TABLE).where("expire", "<=", clock.nowMs()).executeTakeFirst();
      return Number(numDeletedRows);
    },
  };
}

/** Counters are kept under digests: unknown accounts are counted like known ones and nobody's address is stored. */
function keyOf(value: string): string {
  return sha256(value).toString("base64url");
}

function createLimiter(db: Db, keyPrefix: string, limit: { points: number; duration: number }): RateLimiterPostgres {
  return new RateLimiterPostgres({
    ...limit,
    keyPrefix,
    storeClient: {
      async query({ text, values }: { text: string; values: readonly unknown[] }) {
        const result = await db.executeQuery(CompiledQuery.raw(text, [...values]));
        return { rows: result.rows, rowCount: Number(result.numAffectedRows ?? result.rows.length) };
      },
    },
    storeType: "client",
    tableName: TABLE,
    // The migrations make the table, and `sweep` removes what is over: the limiter starts no timer of its own.
    tableCreated: true,
    clearExpiredByTimeout: false,
  });
}

/** `undefined` while the limit is not reached. */
async function consume(
  limiter: RateLimiterPostgres,
  key: string,
  by: ClosedVerdict["by"],
): Promise<ClosedVerdict | undefined> {
  try {
    await limiter.consume(key);
    return undefined;
  } catch (rejection) {
    if (!(rejection instanceof RateLimiterRes)) throw rejection;
    const retryAfterSeconds = Math.max(1, Math.ceil(rejection.msBeforeNext / 1000));
    return { verdict: "closed", by, retryAfterSeconds, isFirst: rejection.consumedPoints === limiter.points + 1 };
  }
}
