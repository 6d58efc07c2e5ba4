/**
 * Tells people of what happened to their account, by mail.
 *
 * The audit log is where all of that is written down, in the transaction of the change. So that is where people are told:
 * `tellPeople` is an audit log that puts a mail into the outbox with the event. `notice-table.ts` says of which.
 *
 * Invariants: no such change goes untold while mail is on, and nobody is told of what was rolled back; a mail goes to the
 * address that the account has then; where nothing but an operator's command was at work, no device is named.
 */
export { createConfirmationMails } from "./confirmation-mails.ts";
export { tellPeople } from "./tell-people.ts";
export { NOTICES } from "./notice-table.ts";
