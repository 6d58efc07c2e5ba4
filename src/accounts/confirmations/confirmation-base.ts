import type { Audit, AuditEvent } from "../../audit/index.ts";
import { AppError, type Authenticator, type Clock, randomToken } from "../../core/index.ts";
import { type Db, deleteInBatches, guardStore } from "../../storage/index.ts";
import type { RequestSource } from "../account.ts";
import type { MailRequestKind, Throttle } from "../throttle/throttle.ts";
import {
  type Confirmation,
  CONFIRMATION_SECONDS,
  type ConfirmationPurpose,
  type ConfirmationRequest,
} from "./confirmation.ts";
import {
  consumeConfirmation,
  countTry,
  deleteSomeExpired,
  findConfirmation,
  findTypedEmail,
  insertConfirmation,
  type Sought,
} from "./confirmation-records.ts";
import type { ConfirmationMail, ConfirmationMails } from "./mails.ts";
import { digestMailCode, isMailCode, linkToken, makeCode, readLinkToken } from "./proofs.ts";

const ID_BYTES = 16;
/** Of a million codes; then a new mail is needed (ASVS 6.5.5, 6.6.3). */
const CODE_TRIES_MAX = 5;

export interface ConfirmationDependencies {
  readonly db: Db;
  readonly clock: Clock;
  readonly audit: Audit;
  readonly authenticator: Authenticator;
  readonly mails: ConfirmationMails;
  readonly throttle: Pick<Throttle, "countMailRequest" | "countCode" | "countCodeOf">;
}

export type CodeOutcome =
  /** `token` goes on where the link would. */
  | { readonly outcome: "accepted"; readonly token: string }
  | { readonly outcome: "refused" }
  /** There is nothing to try any more: too late, too often, or done. */
  | { readonly outcome: "over" }
  | { readonly outcome: "throttled"; readonly retryAfterSeconds: number };

/** What all flows by mail have in common. */
export interface ConfirmationBase {
  /** Before anything is looked up. @throws AppError THROTTLED */
  countOrRefuse(kind: MailRequestKind, emailFolded: string, source: RequestSource): Promise<void>;
  /** Notes what is to be proved, records who asked, and writes the mail: always these three. Returns the id. */
  begin(beginning: Beginning): Promise<string>;
  /** @throws AppError CONFIRMATION_OVER when the token is none of ours for this, was used, or is too old. */
  get(token: string, purposes: readonly ConfirmationPurpose[]): Promise<Confirmation>;
  /**
   * Runs what a link allows, once at a time for each link: otherwise one link would let its holder have passwords hashed as
   * fast as they ask, uncounted, and keep everybody else from signing in. @throws AppError CONFIRMATION_OVER
   */
  alone<Result>(confirmation: Confirmation, run: () => Promise<Result>): Promise<Result>;
  /**
   * Uses it up in the transaction of what it allows. Where there is an account, that is locked first: everything that
   * changes an account and drops what it has under way takes its locks in this order.
   *
   * @throws AppError CONFIRMATION_OVER when somebody else did.
   */
  consume(tx: Db, confirmation: Confirmation): Promise<void>;
  /** Notes one within a transaction, and returns the token for its link. */
  note(tx: Db, request: ConfirmationRequest): Promise<string>;
  /** The address that was typed for one that waits for its code. */
  findPending(id: string, purposes: readonly ConfirmationPurpose[]): Promise<{ readonly email: string } | undefined>;
  takeCode(attempt: CodeAttempt): Promise<CodeOutcome>;
  sweep(): Promise<number>;
}

export interface CodeAttempt {
  /** Of the confirmation, as {@link ConfirmationBase.begin} returned it; untrusted. */
  readonly id: string;
  readonly purposes: readonly ConfirmationPurpose[];
  readonly code: string;
  readonly source: RequestSource;
}

export interface Beginning extends ConfirmationRequest {
  /** Where the mail goes. */
  readonly to: string;
  /** `undefined` where the address leads nowhere: then `otherwise` is sent, and what is noted looks alike. */
  readonly mail:
    | "confirm.registration"
    | "confirm.verification"
    | "confirm.email"
    | "confirm.password_reset"
    | undefined;
  readonly otherwise: "confirm.have_account" | "confirm.no_account";
  readonly locale: string | undefined;
  readonly event: AuditEvent;
}

export function createConfirmationBase(deps: ConfirmationDependencies): ConfirmationBase {
  const { db, clock, audit, authenticator, mails, throttle } = deps;
  const sought = (id: string, purposes: readonly ConfirmationPurpose[]): Sought => {
    return { id, purposes, now: new Date(clock.nowMs()) };
  };

  async function insert(tx: Db, noted: Noted): Promise<void> {
    const createdAt = new Date(clock.nowMs());
    const expiresAt = new Date(createdAt.getTime() + CONFIRMATION_SECONDS[noted.purpose] * 1_000);
    await insertConfirmation(tx, { ...noted, createdAt, expiresAt });
  }

  return {
    async countOrRefuse(kind, emailFolded, { address }) {
      // Fails closed: without mail nothing of all this is offered, and a request for it is somebody's own making.
      if (!mails.isConfigured) throw new AppError("PAGE_NOT_FOUND", { detail: "no mail is configured" });
      const count = await throttle.countMailRequest({ kind, emailFolded, address });
      if (count.verdict === "closed") throw new AppError("THROTTLED", { retryAfterSeconds: count.retryAfterSeconds });
    },
    async begin({ mail: kind, otherwise, to, locale, event, ...confirmation }) {
      const id = randomToken(ID_BYTES);
      const code = makeCode();
      const codeDigest = digestMailCode(authenticator, id, code);
      const token = linkToken(authenticator, confirmation.purpose, id);
      const { address } = event;
      const mail: ConfirmationMail =
        kind === undefined
          ? { kind: otherwise, to, locale, address, variables: {} }
          : { kind, to, locale, address, variables: { token, code } };
      await db.transaction().execute(async (tx) => {
        await insert(tx, { ...confirmation, id, codeDigest, leadsSomewhere: kind !== undefined });
        await audit.append(tx, event);
        await mails.enqueue(tx, mail);
      });
      return id;
    },
    async get(token, purposes) {
      const id = readLinkToken(authenticator, purposes, token);
      const found = id && (await findConfirmation(db, sought(id, purposes)));
      if (found === undefined || found === "") throw new AppError("CONFIRMATION_OVER");
      return found;
    },
    alone: createTurns(),
    async consume(tx, { id, purpose }) {
      if (!(await consumeConfirmation(tx, sought(id, [purpose])))) throw new AppError("CONFIRMATION_OVER");
    },
    async note(tx, noted) {
      const id = randomToken(ID_BYTES);
      await insert(tx, { ...noted, id, codeDigest: undefined, leadsSomewhere: true });
      return linkToken(authenticator, noted.purpose, id);
    },
    async findPending(id, purposes) {
      const email = await findTypedEmail(db, sought(id, purposes));
      return email === undefined ? undefined : { email };
    },
    async takeCode({ id, purposes, code, source }) {
      const count = await throttle.countCode({ address: source.address });
      if (count.verdict === "closed") return { outcome: "throttled", retryAfterSeconds: count.retryAfterSeconds };
      const counted = await countTry(db, sought(id, purposes), CODE_TRIES_MAX);
      if (counted === undefined) return { outcome: "over" };
      const countOfAddress = await throttle.countCodeOf(counted.emailFolded);
      if (countOfAddress.verdict === "closed") return { outcome: "over" };
      const isRight = isMailCode(authenticator, { id, typed: code }, counted.codeDigest) && counted.leadsSomewhere;
      return isRight
        ? { outcome: "accepted", token: linkToken(authenticator, counted.purpose, id) }
        : { outcome: "refused" };
    },
    sweep: () => guardStore(() => deleteInBatches(() => deleteSomeExpired(db, new Date(clock.nowMs())))),
  };
}

interface Noted extends ConfirmationRequest {
  readonly id: string;
  readonly codeDigest: string | undefined;
  readonly leadsSomewhere: boolean;
}

function createTurns(): ConfirmationBase["alone"] {
  const underWay = new Set<string>();
  return async ({ id }, run) => {
    if (underWay.has(id)) throw new AppError("CONFIRMATION_OVER");
    underWay.add(id);
    try {
      return await run();
    } finally {
      underWay.delete(id);
    }
  };
}
