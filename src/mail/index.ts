/**
 * Mails to people: what they say, the outbox that keeps them until they left, and the way out.
 *
 * Whoever changes something calls `MailOutbox.enqueue` in the same transaction, with a kind of `templates/` and what fills
 * it. The worker of every node (an outbox of `outbox/`) takes what is due, makes text and HTML of it in the person's
 * language, and hands it to the transport: SMTP, or the mailbox of an embedded server.
 *
 * Invariants: no mail is lost while it lives, and none is sent twice by two nodes: only a process that dies between the
 * server's yes and writing it down leaves one to be sent again, with the same Message-ID. What came too late is not sent.
 * What lies in the outbox is sealed. Links lead to the issuer and nowhere else. Nothing of a mail, nor its address, is in
 * the log.
 */
export { createMailboxRoutes, MAILBOX_ROUTES } from "./mailbox-routes.ts";
export { createMailbox, type Mailbox } from "./mailbox.ts";
export { createMailLog } from "./mail-log.ts";
export { createMailWorker, type MailWorker } from "./mail-worker.ts";
export type { MailObserver, MailSettled } from "./observer.ts";
export { MAIL_CHANNEL } from "./mail-table.ts";
export { createMailOutbox, type MailOutbox } from "./outbox.ts";
export { createMailRenderer } from "./render-mail.ts";
export { MAIL_KINDS, type MailKind, TEMPLATES } from "./templates/index.ts";
export type { OutgoingMail } from "./outgoing-mail.ts";
export type { WayOut } from "./transport.ts";
export { createConfiguredSmtp } from "./way-out.ts";
