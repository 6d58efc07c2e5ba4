import type { MailObserver } from "./observer.ts";

/** Where operators read. */
interface Log {
  warn(fields: object, sentence: string): void;
}

/** What operators read of mails: their kind and what they met. Neither to whom nor what they say. */
export function createMailLog(logger: Log): MailObserver {
  let isHeldUp = false;
  return {
    settled({ kind, tries, result, reason }) {
      const fields = { mail: kind, tries, reason };
      if (result === "sent") isHeldUp = false;
      if (result === "refused") logger.warn(fields, "the mail server refused a mail for good");
      if (result === "expired") logger.warn(fields, "gave up on a mail that could not be sent in time");
      // Once, not for every mail that waits: the server may be away for long.
      if (result !== "retried" || isHeldUp) return;
      isHeldUp = true;
      logger.warn(fields, "a mail could not be sent, and is tried again");
    },
  };
}
