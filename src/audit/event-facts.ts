import type { AuditEvent } from "./event.ts";
import type { AuditEventType } from "./event-catalogue.ts";

/**
 * Who did it. `person`: the one that the account belongs to. `visitor`: somebody who had not proved who they are.
 * `operator`: by a command. `client`: the app that the event names. `system`: Latchkey itself, because it was due.
 */
export type Actor = "person" | "visitor" | "operator" | "client" | "system";

/** `denied`: somebody was refused what they tried. `failed`: what Latchkey tried did not work out. */
export type Outcome = "succeeded" | "denied" | "failed";

interface EventFacts {
  readonly outcome: Outcome;
  /** Who does such a thing, where neither the event says otherwise nor `actorBy`. */
  readonly actor: Actor;
  /** Who did it by what `data` says in one field. */
  readonly actorBy?: { readonly field: string; readonly actors: Readonly<Record<string, Actor>> };
}

const done = (actor: Actor): EventFacts => ({ outcome: "succeeded", actor });
const denied = (actor: Actor): EventFacts => ({ outcome: "denied", actor });
/** Rotated when it is due, or when an operator wishes. */
const keyChange: EventFacts = {
  outcome: "succeeded",
  actor: "system",
  actorBy: { field: "cause", actors: { operator: "operator" } },
};

/** What is the same for all events of a type, so that nobody who appends one has to say it. */
export const EVENT_FACTS = {
  account_registered: done("person"),
  registration_requested: done("visitor"),
  invitation_sent: done("operator"),
  account_imported: done("operator"),
  account_disabled: done("operator"),
  account_enabled: done("operator"),
  account_unlocked: done("operator"),
  profile_changed: done("person"),
  password_changed: done("person"),
  password_change_failed: denied("person"),
  password_reset_requested: done("visitor"),
  password_reset: done("person"),
  email_confirmation_requested: done("person"),
  email_verified: done("person"),
  email_changed: done("person"),
  email_change_undone: done("person"),
  account_deleted: done("person"),
  sign_in_succeeded: done("person"),
  sign_in_failed: denied("visitor"),
  sign_in_throttled: denied("visitor"),
  password_locked: denied("visitor"),
  factor_enrolled: done("person"),
  factor_renamed: done("person"),
  factor_removed: done("person"),
  factor_verified: done("person"),
  factor_failed: denied("visitor"),
  factor_paused: denied("visitor"),
  factors_reset: done("operator"),
  passkey_failed: denied("visitor"),
  passkey_clone_suspected: denied("visitor"),
  recovery_codes_made: done("person"),
  recovery_code_used: done("person"),
  session_started: done("person"),
  session_ended: {
    outcome: "succeeded",
    actor: "person",
    actorBy: {
      field: "reason",
      actors: {
        limit: "system",
        ended_by_operator: "operator",
        revoked_by_operator: "operator",
        factors_reset: "operator",
        account_disabled: "operator",
      },
    },
  },
  consent_given: done("person"),
  consent_withdrawn: done("person"),
  client_created: done("operator"),
  client_changed: done("operator"),
  client_grants_revoked: done("operator"),
  client_removed: done("operator"),
  client_throttled: denied("client"),
  client_secret_rotated: done("operator"),
  resource_server_created: done("operator"),
  resource_server_changed: done("operator"),
  resource_server_removed: done("operator"),
  signing_key_created: keyChange,
  signing_key_rotated: keyChange,
  signing_key_retired: keyChange,
  signing_key_deleted: keyChange,
  signing_key_withdrawn: done("operator"),
  authorization_code_reused: denied("client"),
  refresh_token_reused: denied("client"),
  back_channel_logout_rejected: { outcome: "failed", actor: "system" },
  back_channel_logout_given_up: { outcome: "failed", actor: "system" },
  epoch_started: {
    outcome: "succeeded",
    actor: "system",
    actorBy: { field: "reason", actors: { operator: "operator" } },
  },
  token_revoked: done("client"),
  audit_key_replaced: done("operator"),
  webhook_added: done("operator"),
  webhook_removed: done("operator"),
  webhook_secret_rotated: done("operator"),
  webhook_disabled: {
    outcome: "succeeded",
    actor: "system",
    actorBy: { field: "reason", actors: { operator: "operator" } },
  },
  webhook_enabled: done("operator"),
  webhook_given_up: { outcome: "failed", actor: "system" },
} as const satisfies Record<AuditEventType, EventFacts>;

/** An older row may have a type that there is no more. */
function factsOf(type: string): EventFacts | undefined {
  return (EVENT_FACTS as Readonly<Record<string, EventFacts>>)[type];
}

export function actorOf({ type, actor, data }: Pick<AuditEvent, "type" | "actor" | "data">): Actor {
  const facts = factsOf(type);
  const said = facts?.actorBy === undefined ? undefined : data?.[facts.actorBy.field];
  const bySaid = typeof said === "string" ? facts?.actorBy?.actors[said] : undefined;
  return actor ?? bySaid ?? facts?.actor ?? "system";
}

export function outcomeOf(type: string): Outcome {
  return factsOf(type)?.outcome ?? "succeeded";
}
