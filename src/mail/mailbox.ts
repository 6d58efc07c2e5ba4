import type { Clock } from "../core/index.ts";
import type { MailMessage, MailTransport } from "./transport.ts";

/** A mail that would have left, if there were a mail server. */
export interface KeptMail extends MailMessage {
  readonly atMs: number;
}

/** Takes all mails of an embedded server, for the page that shows them. In memory: it is for trying out. */
export interface Mailbox extends MailTransport {
  /** The newest first. */
  list(): readonly KeptMail[];
  find(id: string): KeptMail | undefined;
}

const KEPT_MAX = 100;

export function createMailbox(clock: Clock): Mailbox {
  let kept: readonly KeptMail[] = [];
  return {
    async send(message) {
      kept = [{ ...message, atMs: clock.nowMs() }, ...kept].slice(0, KEPT_MAX);
      return { type: "accepted" };
    },
    list: () => kept,
    find: (id) => kept.find((mail) => mail.id === id),
  };
}
