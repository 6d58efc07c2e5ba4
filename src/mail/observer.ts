import type { Settled } from "../outbox/index.ts";

/** What came of a try, or of a mail for which there was to be none any more. */
export interface MailSettled {
  readonly kind: string;
  readonly tries: number;
  /** `retried`: it is tried again. `refused`: for good, by the mail server. `expired`: it would have come too late. */
  readonly result: "sent" | "retried" | "refused" | "expired";
  /** A word for the log: `status_451`, `etimedout`. Holds nothing of the mail. */
  readonly reason?: string;
}

/** Told of mails without their content. Does not throw. */
export interface MailObserver {
  settled(mail: MailSettled): void;
}

/** What the outbox tells, in the words of mails. */
export function toMailSettled({ lane, ...settled }: Settled): MailSettled {
  return { kind: lane, ...settled };
}
