/**
 * Every event that the audit log can hold, and what it means to an operator.
 *
 * Names are never reused or renamed: rows that were written years ago are still read by them.
 */
export const AUDIT_EVENTS = {
  "account.registered": "An account was created.",
  "account.disabled": "An operator disabled an account; its sessions and tokens end.",
  "account.enabled": "An operator enabled a disabled account.",
  "account.profile_changed": "A person changed their name or language; `data.fields` says which.",
  "account.password_changed": "A person changed their password.",
  "account.password_change_failed": "A password was not changed: the current one was wrong.",
  "account.deleted": "An account was deleted, and what it was allowed ended.",
  "sign_in.succeeded": "A person proved who they are.",
  "sign_in.failed": "A sign-in was refused; `data.reason` says why, which the person is not told.",
  "sign_in.throttled": "A sign-in was not evaluated: too many attempts by `data.by`, the account or the address.",
  "factor.enrolled": "A person added a sign-in method; `data.factor` says of which kind.",
  "factor.renamed": "A person gave a sign-in method another name.",
  "factor.removed": "A person removed a sign-in method; with the last one go the recovery codes.",
  "factor.verified": "A person proved who they are by `data.factor`, beside the password or in its place.",
  "factor.failed": "A code was refused; `data.reason` says whether it was wrong or had been used before.",
  "factor.paused":
    "After too many wrong codes none is looked at for 15 minutes; a browser that is known has its own count.",
  "factors.reset": "All sign-in methods beside the password were removed from an account, for a person who lost them.",
  "passkey.failed": "A passkey was refused; `data.reason` says why, which the person is not told.",
  "passkey.clone_suspected": "A passkey was refused because its counter did not grow: there may be a copy of it.",
  "recovery_codes.made": "An account got new recovery codes; older ones are dead.",
  "recovery_code.used": "A recovery code was used; `data.left` are left.",
  "session.started": "A browser session began; `data.newBrowser` where the person had not signed in with it before.",
  "session.ended": "A browser session ended, with every token that hung on it.",
  "consent.given": "A person allowed a client what it asked for.",
  "consent.withdrawn": "A person took back what they had allowed a client.",
  "client.created": "A client was registered.",
  "client.changed": "A client's settings were changed.",
  "client.grants_revoked": "All that had been granted to a client was revoked, and its tokens.",
  "client.removed": "A client was removed.",
  "client.secret_rotated": "A client got a new secret.",
  "resource_server.created": "A resource server was registered.",
  "resource_server.changed": "A resource server's settings were changed.",
  "resource_server.removed": "A resource server was removed.",
  "signing_key.created": "A key that signs tokens was created.",
  "signing_key.activated": "A key began to sign tokens; `data.cause` says whether that was due or an operator's wish.",
  "signing_key.retired": "A key stopped signing tokens; its private half is gone.",
  "signing_key.deleted": "A retired key is not published any more: every token that it signed has expired.",
  "signing_key.withdrawn": "A key was given up for lost; whatever it had signed was revoked.",
  "authorization_code.reuse_detected": "An authorization code was presented twice; what it had issued was revoked.",
  "refresh_token.reuse_detected": "A spent refresh token was presented; its whole family was revoked.",
  "back_channel_logout.rejected": "A client refused the token that told it of a session's end.",
  "back_channel_logout.given_up":
    "A client could not be told of a session's end; `data.reason` says what the last try met.",
  "epoch.started":
    "Every access token issued until then was revoked at once; `data.reason` says why: the protocol store was lost or restored, or an operator asked for it.",
  "token.revoked": "A token was revoked, by its client or an operator; `data.kind` says what it was.",
} as const satisfies Record<string, string>;

export type AuditEventType = keyof typeof AUDIT_EVENTS;
