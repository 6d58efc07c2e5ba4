/** Every mail that there is. To add one: write its template, and name it here. A kind is never used for something else. */
import * as confirmations from "./confirmations.ts";
import * as notices from "./notices.ts";

export const TEMPLATES = {
  "confirm.registration": confirmations.registration,
  "confirm.invitation": confirmations.invitation,
  "confirm.verification": confirmations.verification,
  "confirm.email": confirmations.email,
  "confirm.email_changed": confirmations.emailChanged,
  "confirm.password_reset": confirmations.passwordReset,
  "confirm.have_account": confirmations.haveAccount,
  "confirm.no_account": confirmations.noAccount,
  "notice.new_device": notices.newDevice,
  "notice.password_changed": notices.passwordChanged,
  "notice.factor_added": notices.factorAdded,
  "notice.factor_removed": notices.factorRemoved,
  "notice.recovery_code_used": notices.recoveryCodeUsed,
  "notice.access_reused": notices.accessReused,
  "notice.factors_reset": notices.factorsReset,
} as const;

export type MailKind = keyof typeof TEMPLATES;

export type MailVariables<Kind extends MailKind> = (typeof TEMPLATES)[Kind]["sample"];

export const MAIL_KINDS = Object.keys(TEMPLATES) as readonly MailKind[];

export function isMailKind(kind: string): kind is MailKind {
  return Object.hasOwn(TEMPLATES, kind);
}
