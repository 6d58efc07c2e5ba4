import { sql } from "kysely";
import { type Clock, sha256 } from "../../core/index.ts";
import type { Db, Redis } from "../../storage/index.ts";
import { deviceDigests } from "../known-devices.ts";
import { networkOf } from "../network-of.ts";
import { type BudgetPlace, createBudgets, UNKNOWN } from "./budgets.ts";
import { DEVICE_FAILURES_MAX, PASSWORD_BUDGET, type Window, WINDOWS } from "./limits.ts";
import { createWindowsInPostgres } from "./windows-in-postgres.ts";
import { createWindowsInRedis } from "./windows-in-redis.ts";
import { judgeWindow, type WindowVerdict } from "./windows.ts";

export type ThrottleVerdict = { readonly verdict: "open" } | ClosedVerdict;

export interface ClosedVerdict {
  readonly verdict: "closed";
  readonly by: "account" | "address";
  readonly retryAfterSeconds: number;
  /** Whether this is the attempt that reached the limit, and not one of those that followed. */
  readonly isFirst: boolean;
  /** Whether waiting does not help: the password works no more until another one is set by mail. */
  readonly needsReset?: boolean;
}

export type GuessVerdict =
  | {
      readonly verdict: "open";
      readonly guess: Guess;
      /** Whether, when this one is wrong, too, the password stops working for whoever guesses from there. */
      readonly isLast: boolean;
    }
  | ClosedVerdict;

/** An attempt that was counted, and may be evaluated. */
export interface Guess extends BudgetPlace {
  /** Takes the attempt back from those of its network. */
  readonly undoInNetwork: () => Promise<void>;
}

/** Somebody tries a password. Untrusted. */
export interface PasswordGuess {
  readonly emailFolded: string;
  readonly address: string;
  /** What the cookie of a known browser holds. */
  readonly browserToken?: string | undefined;
}

/** Each kind has a budget of its own: whoever asks for the one cannot use up the other. */
export type MailRequestKind = "registration" | "verification" | "reset" | "email_change";

export interface MailRequest {
  readonly emailFolded: string;
  readonly address: string;
  readonly kind: MailRequestKind;
}

/**
 * Limits how often is guessed and asked, by account, by network and by browser (ASVS 6.3.1). Everything is counted before
 * it is looked at, and under digests: nobody's address is stored.
 */
export interface Throttle {
  /**
   * Counts a try at a password and says whether it may go on. Whatever path it comes by, it is the account's one count. An
   * attempt from a network that is over its limit does not count for the account, so that one machine cannot delay many
   * people; a browser that is known to the account has a count of its own, so that nobody else delays its person.
   */
  count(guess: PasswordGuess): Promise<GuessVerdict>;
  /** The password was right: the count that it was tried against begins anew. What others failed elsewhere stays. */
  forgive(guess: Guess): Promise<void>;
  /** Counts an attempt to create an account: by network. */
  countRegistration(address: string): Promise<ThrottleVerdict>;
  /**
   * Counts a form that makes us send a mail: by network, and by the address that the mail goes to, before anything is
   * looked up. Whoever is `closed` by `account` has as many mails of this kind as help; by `address`, is to be told.
   */
  countMailRequest(request: MailRequest): Promise<ThrottleVerdict>;
  /** Counts a try at a code of a mail, by network. The code has tries of its own. */
  countCode(request: { readonly address: string }): Promise<ThrottleVerdict>;
  /** Counts a try at any code that was mailed to an address, whatever for: links are not counted, and work on. */
  countCodeOf(emailFolded: string): Promise<ThrottleVerdict>;
  /** Counts what a client failed to prove, by client and network: see `oidc`. `undefined`: a client that is not known. */
  countClientFailure(failure: {
    readonly clientId: string | undefined;
    readonly address: string;
  }): Promise<ThrottleVerdict>;
  /**
   * Lifts every delay of an account's password, and the end of its tries; returns whether it had come to that. To be called
   * by whoever sets a new password for a person who proved themselves otherwise, in the same transaction.
   */
  release(tx: Db, emailFolded: string): Promise<boolean>;
  /** Deletes counts that are over; returns how many. */
  sweep(): Promise<number>;
}

export interface ThrottleDependencies {
  readonly db: Db;
  readonly clock: Clock;
  /** Where the limits of the server are counted; Postgres when there is none. */
  readonly redis?: Redis | undefined;
  /** Told when Redis does not count. */
  readonly reportFailure?: ((error: unknown) => void) | undefined;
}

/**
 * What protects an account lies in Postgres, and every failure of it surfaces: without counting nobody signs in. What
 * protects the server lies in Redis, and while that is away each process counts for itself.
 */
export function createThrottle(deps: ThrottleDependencies): Throttle {
  const { db, clock, redis, reportFailure = () => undefined } = deps;
  const budgets = createBudgets(deps);
  const durable = createWindowsInPostgres(deps);
  const fast = redis === undefined ? durable : createWindowsInRedis({ redis, clock, reportFailure });

  async function countNetwork(window: Window, address: string, of = ""): Promise<WindowVerdict> {
    const key = digestOf(`${of}\0${networkOf(address)}`);
    return judgeWindow(window, await fast.count(window, key));
  }
  const byNetwork = async (window: Window, address: string): Promise<ThrottleVerdict> =>
    toVerdict(await countNetwork(window, address), "address");

  return {
    async count({ emailFolded, address, browserToken }) {
      const byMinute = await countNetwork(WINDOWS.signIns, address);
      if (byMinute.verdict === "closed") return { ...byMinute, by: "address" };
      // One after the other: what is refused is no failure.
      const failures = await countNetwork(WINDOWS.signInFailures, address);
      if (failures.verdict === "closed") return { ...failures, by: "address" };
      const place = placeOf({ emailFolded, browserToken, now: new Date(clock.nowMs()) });
      const counted = await budgets.count({ authenticator: "password", budget: PASSWORD_BUDGET, place });
      if (counted.verdict === "open") {
        return { verdict: "open", guess: { ...counted.place, undoInNetwork: failures.undo }, isLast: counted.isLast };
      }
      const { retryAfterSeconds, isFirst, isSpent: needsReset } = counted;
      return { verdict: "closed", by: "account", retryAfterSeconds, isFirst, needsReset };
    },
    async forgive(guess) {
      await budgets.forgive(db, "password", guess);
      await guess.undoInNetwork();
    },
    countRegistration: (address) => byNetwork(WINDOWS.registrations, address),
    async countMailRequest({ emailFolded, address, kind }) {
      const verdict = await byNetwork(WINDOWS.mailRequests, address);
      if (verdict.verdict === "closed") return verdict;
      const key = digestOf(`${kind}\0${emailFolded}`);
      return toVerdict(judgeWindow(WINDOWS.mailsTo, await durable.count(WINDOWS.mailsTo, key)), "account");
    },
    countCodeOf: async (emailFolded) =>
      toVerdict(judgeWindow(WINDOWS.codesOf, await durable.count(WINDOWS.codesOf, digestOf(emailFolded))), "account"),
    countCode: ({ address }) => byNetwork(WINDOWS.codes, address),
    countClientFailure: async ({ clientId = "", address }) =>
      toVerdict(await countNetwork(WINDOWS.clientFailures, address, clientId), "address"),
    release: (tx, emailFolded) =>
      budgets.release(
        tx,
        "password",
        sql`select id from accounts where email_folded = ${emailFolded} union all select ${unknownOf(emailFolded)}`,
      ),
    async sweep() {
      return (await durable.sweep()) + (await budgets.sweep());
    },
  };
}

function toVerdict(verdict: WindowVerdict, by: ClosedVerdict["by"]): ThrottleVerdict {
  return verdict.verdict === "open" ? { verdict: "open" } : { ...verdict, by };
}

function digestOf(value: string): string {
  return sha256(value).toString("base64url");
}

function unknownOf(emailFolded: string): string {
  return `${UNKNOWN}${digestOf(emailFolded)}`;
}

/**
 * The account that has this address, or what stands for it where nobody has; and the browser, if the account knows it and
 * did not fail there too often. A browser that has only seen an older password is not known: whoever had that one could
 * otherwise have prepared as many browsers as they want tries at the new one. One query, whoever is asked about.
 */
function placeOf(guess: Pick<PasswordGuess, "emailFolded" | "browserToken"> & { readonly now: Date }) {
  const { emailFolded, browserToken, now } = guess;
  const { factor, password } = deviceDigests(browserToken);
  return sql<BudgetPlace>`
    select
      coalesce((select id from accounts where email_folded = ${emailFolded}), ${unknownOf(emailFolded)}) as subject,
      coalesce((
        select known.device from known_devices as known join accounts as owner on known.account_id = owner.id
          where owner.email_folded = ${emailFolded} and known.device in (${factor}, ${password})
            and known.expires_at > ${now}
            and (known.device = ${factor} or known.last_used_at >= owner.password_changed_at)
            and not exists (
              select from consecutive_failures as failed
                where failed.subject = owner.id and failed.authenticator = 'password' and failed.device = known.device
                  and failed.failures >= ${sql.raw(String(DEVICE_FAILURES_MAX))} and failed.expires_at > ${now})
          order by known.device = ${factor} desc limit 1), '') as device`;
}
