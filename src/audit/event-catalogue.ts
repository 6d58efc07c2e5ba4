/**
 * Every event that the audit log can hold, and what it means to an operator.
 *
 * Names are never reused or renamed: rows that were written years ago are still read by them.
 */
export const AUDIT_EVENTS = {
  account_registered: "An account was created.",
  registration_requested: "Somebody asked for a mail to create an account with.",
  invitation_sent: "An operator invited somebody to create an account.",
  account_imported: "An operator brought an account in from another system; `data.keptId` where its id was kept.",
  account_disabled: "An operator disabled an account; its sessions and tokens end.",
  account_enabled: "An operator enabled a disabled account.",
  account_unlocked: "An operator lifted every delay that failed attempts had brought upon an account.",
  profile_changed: "A person changed their name or language; `data.fields` says which.",
  password_changed: "A person changed their password.",
  password_change_failed: "A password was not changed: the current one was wrong.",
  password_reset_requested: "Somebody asked for a mail to reset a password with; an account only where there is one.",
  password_reset: "A forgotten password was replaced by who reads the account's mail; every session ended.",
  email_confirmation_requested: "A person asked for a mail that proves an address.",
  email_verified: "A person proved that they read the mail of their account's address.",
  email_changed: "An account got another address, which was proved; the one from before was told.",
  email_change_undone: "An account got its address from before back, by a link sent there; every session ended.",
  account_deleted: "An account was deleted, and what it was allowed ended.",
  sign_in_succeeded: "A person proved who they are.",
  sign_in_failed: "A sign-in was refused; `data.reason` says why, which the person is not told.",
  sign_in_throttled: "A sign-in was not evaluated: too many attempts by `data.by`, the account or the address.",
  password_locked:
    "After 100 failures in a row the password works no more until it is reset; a browser that is known has its own count.",
  factor_enrolled: "A person added a sign-in method; `data.factor` says of which kind.",
  factor_renamed: "A person gave a sign-in method another name.",
  factor_removed: "A person removed a sign-in method; with the last one go the recovery codes.",
  factor_verified: "A person proved who they are by `data.factor`, beside the password or in its place.",
  factor_failed: "A code was refused; `data.reason` says whether it was wrong or had been used before.",
  factor_paused:
    "After too many wrong codes none is looked at for 15 minutes; a browser that is known has its own count.",
  factors_reset: "All sign-in methods beside the password were removed from an account, for a person who lost them.",
  passkey_failed: "A passkey was refused; `data.reason` says why, which the person is not told.",
  passkey_clone_suspected: "A passkey was refused because its counter did not grow: there may be a copy of it.",
  recovery_codes_made: "An account got new recovery codes; older ones are dead.",
  recovery_code_used: "A recovery code was used; `data.left` are left.",
  session_started: "A browser session began; `data.newBrowser` where the person had not signed in with it before.",
  session_ended: "A browser session ended, with every token that hung on it.",
  consent_given: "A person allowed a client what it asked for.",
  consent_withdrawn: "A person took back what they had allowed a client.",
  client_created: "A client was registered.",
  client_changed: "A client's settings were changed.",
  client_grants_revoked: "All that had been granted to a client was revoked, and its tokens.",
  client_removed: "A client was removed.",
  client_throttled:
    "A client failed too often to prove who it is, from one network, and was refused unheard for a while.",
  client_secret_rotated: "A client got a new secret.",
  resource_server_created: "A resource server was registered.",
  resource_server_changed: "A resource server's settings were changed.",
  resource_server_removed: "A resource server was removed.",
  signing_key_created: "A key that signs tokens was created.",
  signing_key_rotated: "A key began to sign tokens; `data.cause` says whether that was due or an operator's wish.",
  signing_key_retired: "A key stopped signing tokens; its private half is gone.",
  signing_key_deleted: "A retired key is not published any more: every token that it signed has expired.",
  signing_key_withdrawn: "A key was given up for lost; whatever it had signed was revoked.",
  authorization_code_reused: "An authorization code was presented twice; what it had issued was revoked.",
  refresh_token_reused: "A spent refresh token was presented; its whole family was revoked.",
  back_channel_logout_rejected: "A client refused the token that told it of a session's end.",
  back_channel_logout_given_up:
    "A client could not be told of a session's end; `data.reason` says what the last try met.",
  epoch_started:
    "Every access token issued until then was revoked at once; `data.reason` says why: the protocol store was lost or restored, or an operator asked for it.",
  token_revoked: "A token was revoked, by its client or an operator; `data.kind` says what it was.",
  audit_key_replaced:
    "The key that signs the audit log was lost with `LATCHKEY_SECRET`, and another one goes on; up to `data.position` it signed the chain as it was found.",
  webhook_added: "An endpoint was added that is told of events; `data.host` is where.",
  webhook_removed: "An endpoint was removed, with what it had not been told yet.",
  webhook_secret_rotated:
    "An endpoint got a new secret; `data.keepOldForSeconds` says how long the old one signs as well.",
  webhook_disabled: "An endpoint is told nothing any more; `data.reason` says why.",
  webhook_enabled: "An endpoint that had been disabled is told of events again.",
  webhook_given_up:
    "An endpoint did not take an event in three days, but others since; `data.reason` says what the last try met.",
} as const satisfies Record<string, string>;

export type AuditEventType = keyof typeof AUDIT_EVENTS;

export function isAuditEventType(type: string): type is AuditEventType {
  return Object.hasOwn(AUDIT_EVENTS, type);
}
