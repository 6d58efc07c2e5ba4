import type { AuditEventType, StoredAuditEvent } from "../audit/index.ts";
import { type Message, message } from "../http/index.ts";

type Icon = "check" | "attention" | "person" | "key" | "laptop" | "apps" | "leave";

/** What a person is told of an event. `bad` is what they may not have done themselves. */
export interface EventInWords {
  readonly icon: Icon;
  readonly tone: "good" | "bad" | "";
  readonly title: Message;
  readonly detail?: Message;
}

/** @param client name of the app that the event names. */
type Words = (event: StoredAuditEvent, client: string) => EventInWords;

const plain =
  (icon: Icon, title: Message): Words =>
  () => ({ icon, tone: "", title });
const good =
  (title: Message): Words =>
  () => ({ icon: "check", tone: "good", title });
const bad =
  (title: Message, detail?: Message): Words =>
  () => ({ icon: "attention", tone: "bad", title, ...(detail === undefined ? {} : { detail }) });

/**
 * What people are told of, out of all that is recorded about their account. Left out is what says the same twice (a
 * sign-in that succeeded is followed by its session), and what only an operator can make something of.
 */
export const EVENT_WORDS = {
  account_registered: good(message("event.registered")),
  account_imported: good(message("event.imported")),
  account_disabled: bad(message("event.disabled")),
  account_enabled: plain("person", message("event.enabled")),
  profile_changed: plain("person", message("event.profileChanged")),
  password_changed: good(message("event.passwordChanged")),
  password_change_failed: bad(message("event.passwordChangeFailed"), message("event.nothingChanged")),
  password_reset_requested: plain("key", message("event.resetRequested")),
  password_reset: good(message("event.passwordReset")),
  email_confirmation_requested: plain("person", message("event.emailRequested")),
  email_verified: good(message("event.emailVerified")),
  email_changed: good(message("event.emailChanged")),
  email_change_undone: bad(message("event.emailUndone")),
  sign_in_failed: ({ data }) =>
    data["reason"] === "account_disabled"
      ? { icon: "attention", tone: "bad", title: message("event.signInDisabled") }
      : { icon: "attention", tone: "bad", title: message("event.wrongPassword"), detail: message("event.nobodyGotIn") },
  sign_in_throttled: bad(message("event.throttled"), message("event.nobodyGotIn")),
  password_locked: bad(message("event.passwordLocked"), message("event.passwordLocked.detail")),
  account_unlocked: plain("person", message("event.unlocked")),
  session_started: (_, client) => ({
    icon: "check",
    tone: "good",
    title: client === "" ? message("event.signedIn") : message("event.signedInTo", { client }),
  }),
  session_ended: ({ data }) => ({ icon: "leave", tone: "", title: endInWords(data["reason"]) }),
  consent_given: (_, client) => ({ icon: "apps", tone: "", title: message("event.consentGiven", { client }) }),
  consent_withdrawn: (_, client) => ({
    icon: "apps",
    tone: "",
    title: message("event.consentWithdrawn", { client }),
  }),
  authorization_code_reused: (_, client) => stolen(client),
  refresh_token_reused: (_, client) => stolen(client),
  factor_enrolled: ({ data }) => ({ icon: "key", tone: "good", title: factorAdded(data["factor"]) }),
  factor_renamed: plain("key", message("event.factorRenamed")),
  factor_removed: ({ data }) => ({ icon: "key", tone: "", title: factorRemoved(data["factor"]) }),
  factor_failed: bad(message("event.factorFailed"), message("event.knewPassword")),
  factor_paused: bad(message("event.factorPaused"), message("event.knewPassword")),
  factors_reset: plain("key", message("event.factorsReset")),
  recovery_code_used: plain("key", message("event.recoveryCodeUsed")),
  recovery_codes_made: plain("key", message("event.recoveryCodesMade")),
  passkey_failed: bad(message("event.passkeyFailed"), message("event.nobodyGotIn")),
  passkey_clone_suspected: bad(message("event.passkeyCopied"), message("event.passkeyCopied.detail")),
} as const satisfies Partial<Record<AuditEventType, Words>>;

export type ToldEventType = keyof typeof EVENT_WORDS;

/** Why people are not told of the others. An event that is new is in one of the two tables, or does not compile. */
export const UNTOLD_EVENTS: Readonly<Record<Exclude<AuditEventType, ToldEventType>, string>> = {
  registration_requested: "There is no account yet to show it on.",
  invitation_sent: "There is no account yet to show it on.",
  account_deleted: "There is no account any more to show it on.",
  sign_in_succeeded: "The session that began with it is shown.",
  factor_verified: "The session that began with it is shown.",
  back_channel_logout_rejected: "It is for the operator and the client to mend.",
  back_channel_logout_given_up: "It is for the operator and the client to mend.",
  token_revoked: "Apps give tokens back whenever somebody leaves them, and the session's end is shown.",
  client_created: "It concerns nobody's account.",
  client_changed: "It concerns nobody's account.",
  client_grants_revoked: "It concerns a client, and not one account.",
  client_removed: "It concerns nobody's account.",
  client_throttled: "It concerns nobody's account.",
  client_secret_rotated: "It concerns nobody's account.",
  resource_server_created: "It concerns nobody's account.",
  resource_server_changed: "It concerns nobody's account.",
  resource_server_removed: "It concerns nobody's account.",
  signing_key_created: "It concerns nobody's account.",
  signing_key_rotated: "It concerns nobody's account.",
  signing_key_retired: "It concerns nobody's account.",
  signing_key_deleted: "It concerns nobody's account.",
  signing_key_withdrawn: "It concerns the deployment, and not one account.",
  epoch_started: "It concerns the deployment, and not one account.",
  audit_key_replaced: "It concerns the deployment, and not one account.",
  webhook_added: "It concerns nobody's account.",
  webhook_removed: "It concerns nobody's account.",
  webhook_secret_rotated: "It concerns nobody's account.",
  webhook_disabled: "It concerns nobody's account.",
  webhook_enabled: "It concerns nobody's account.",
  webhook_given_up: "It concerns nobody's account.",
};

export const TOLD_EVENT_TYPES = Object.keys(EVENT_WORDS).filter(isTold);

export function eventInWords(event: StoredAuditEvent, client: string): EventInWords | undefined {
  return isTold(event.type) ? EVENT_WORDS[event.type](event, client) : undefined;
}

function isTold(type: string): type is ToldEventType {
  return Object.hasOwn(EVENT_WORDS, type);
}

function stolen(client: string): EventInWords {
  const detail = message("event.accessReused.detail");
  return { icon: "attention", tone: "bad", title: message("event.accessReused", { client }), detail };
}

function endInWords(reason: unknown): Message {
  switch (reason) {
    case "signed_out":
      return message("event.signedOut");
    case "ended_by_person":
      return message("event.ended.byPerson");
    case "password_changed":
    case "password_reset":
      return message("event.ended.password");
    case "email_change_undone":
      return message("event.ended.emailUndone");
    case "limit":
      return message("event.ended.limit");
    case "replaced":
      return message("event.ended.replaced");
    default:
      return message("event.ended.byOperator");
  }
}

function factorAdded(kind: unknown): Message {
  return kind === "passkey" ? message("event.passkeyAdded") : message("event.appAdded");
}

function factorRemoved(kind: unknown): Message {
  return kind === "passkey" ? message("event.passkeyRemoved") : message("event.appRemoved");
}
