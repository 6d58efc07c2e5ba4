/**
 * Every limit on guessing and asking, in one place; docs/operations/throttling.md explains them.
 *
 * A *budget* protects an account: it counts consecutive failures, lies in Postgres and survives everything. A *window*
 * protects the server: so many in so many seconds, from the first one on.
 */
export interface Budget {
  /** Seconds to wait after the first, second, … consecutive failure; the last one holds from then on. */
  readonly waitSeconds: readonly number[];
  /** With so many consecutive failures nothing is evaluated any more until the budget is released. */
  readonly failuresMax: number;
  /** So long after the last counted attempt a count begins anew, released or not: nothing is kept for ever. */
  readonly quietSeconds: number;
}

export interface Window {
  readonly name: string;
  readonly attemptsMax: number;
  readonly seconds: number;
}

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** NIST SP 800-63B-4, section 3.2.2: at most 100 consecutive failures per authenticator. */
const FAILURES_MAX = 100;

const PASSWORDS_AT_ONCE = 10;
const CODES_AT_ONCE = 5;

/** Ten at once, then one at a time, with waits that grow to an hour. */
export const PASSWORD_BUDGET: Budget = {
  waitSeconds: [...Array(PASSWORDS_AT_ONCE - 1).fill(0), 15 * MINUTE, 20 * MINUTE, 30 * MINUTE, 45 * MINUTE, HOUR],
  failuresMax: FAILURES_MAX,
  quietSeconds: 90 * DAY,
};

/** A known browser that failed so often is no better than a stranger's, until its person signs in with it again. */
export const DEVICE_FAILURES_MAX = 20;

/** Five at once, with pauses between that grow to an hour. */
export const CODE_BUDGET: Budget = {
  waitSeconds: Array.from({ length: FAILURES_MAX }, (_, at) => {
    const fives = (at + 1) / CODES_AT_ONCE;
    return Number.isInteger(fives) ? Math.min(HOUR, 15 * MINUTE * 2 ** (fives - 1)) : 0;
  }),
  failuresMax: FAILURES_MAX,
  quietSeconds: 90 * DAY,
};

export const WINDOWS = {
  signIns: { name: "sign-in", attemptsMax: 50, seconds: MINUTE },
  /** A success gives its attempt back: what is left are failures. */
  signInFailures: { name: "sign-in-failure", attemptsMax: 200, seconds: HOUR },
  registrations: { name: "registration", attemptsMax: 30, seconds: 10 * MINUTE },
  mailRequests: { name: "mail-request", attemptsMax: 30, seconds: 10 * MINUTE },
  /** Per address that the mails go to, and per kind. */
  mailsTo: { name: "mail-to", attemptsMax: 5, seconds: HOUR },
  /** Per address that mails go to. Then links alone work: a million codes are soon tried out by who asks for mail after mail. */
  codesOf: { name: "code-of", attemptsMax: 20, seconds: DAY },
  codes: { name: "code", attemptsMax: 60, seconds: 10 * MINUTE },
  clientFailures: { name: "client", attemptsMax: 30, seconds: MINUTE },
} as const satisfies Record<string, Window>;
