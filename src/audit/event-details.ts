import type { AuditEventType } from "./event-catalogue.ts";

/** What an event is about, for whoever sorts them. */
export const EVENT_CATEGORIES = {
  account: "An account began, changed or ended.",
  sign_in: "Somebody proved who they are, or did not.",
  factor: "Sign-in methods beside the password.",
  session: "Sessions of browsers.",
  consent: "What people allow clients.",
  client: "Clients and resource servers, and what they are told.",
  token: "Tokens that were revoked, or used in a way that they should not be.",
  key: "Keys that sign tokens.",
  audit: "Where events of this log are sent.",
} as const;

export type EventCategory = keyof typeof EVENT_CATEGORIES;

export type DataKind = "text" | "number" | "flag" | "texts";

export interface EventDetails {
  readonly category: EventCategory;
  /** The members that `data` may have: of which kind, and what they say. */
  readonly data: Readonly<Record<string, readonly [kind: DataKind, meaning: string]>>;
}

const NOTHING = {} as const;
const FACTOR = { factor: ["text", "`totp`, `passkey` or, where one is proved, `recovery_code`"] } as const;
const CODE_FACTOR = { factor: ["text", "`totp` or `recovery_code`"] } as const;
const KEY = {
  kid: ["text", "the key's id, as in the key set"],
  algorithm: ["text", "such as `ES256`"],
  cause: ["text", "`schedule` or `operator`"],
} as const;
const UNDELIVERED = {
  host: ["text", "of the client's address"],
  tries: ["number", "how many there were"],
  reason: ["text", "what the last try met: `status_503`, `failed_timeout`, `refused_address`, `expired` …"],
} as const;
const RESOURCE_SERVER = { identifier: ["text", "of the resource server"] } as const;
const WEBHOOK = { webhook: ["text", "its id"] } as const;
const KEYS_CHANGED = { keys: ["texts", "names of the settings"] } as const;

/** What each event is about, and what its `data` may hold. The sentences are in `event-catalogue.ts`. */
export const EVENT_DETAILS: Readonly<Record<AuditEventType, EventDetails>> = {
  account_registered: { category: "account", data: NOTHING },
  registration_requested: { category: "account", data: NOTHING },
  invitation_sent: { category: "account", data: NOTHING },
  account_imported: { category: "account", data: { keptId: ["flag", "whether it has the id that it had there"] } },
  account_disabled: { category: "account", data: NOTHING },
  account_enabled: { category: "account", data: NOTHING },
  account_unlocked: { category: "account", data: NOTHING },
  profile_changed: { category: "account", data: { fields: ["texts", "`name`, `locale`"] } },
  password_changed: { category: "account", data: NOTHING },
  password_change_failed: { category: "account", data: NOTHING },
  password_reset_requested: { category: "account", data: NOTHING },
  password_reset: { category: "account", data: NOTHING },
  email_confirmation_requested: { category: "account", data: NOTHING },
  email_verified: { category: "account", data: NOTHING },
  email_changed: { category: "account", data: NOTHING },
  email_change_undone: { category: "account", data: NOTHING },
  account_deleted: { category: "account", data: NOTHING },
  sign_in_succeeded: { category: "sign_in", data: NOTHING },
  sign_in_failed: {
    category: "sign_in",
    data: { reason: ["text", "`unknown_account`, `wrong_password` or `account_disabled`"] },
  },
  sign_in_throttled: { category: "sign_in", data: { by: ["text", "`account` or `address`"] } },
  password_locked: { category: "sign_in", data: NOTHING },
  factor_enrolled: { category: "factor", data: FACTOR },
  factor_renamed: { category: "factor", data: FACTOR },
  factor_removed: { category: "factor", data: FACTOR },
  factor_verified: { category: "sign_in", data: FACTOR },
  factor_failed: {
    category: "sign_in",
    data: { ...CODE_FACTOR, reason: ["text", "`wrong_code` or `replayed_code`"] },
  },
  factor_paused: { category: "sign_in", data: CODE_FACTOR },
  factors_reset: { category: "factor", data: NOTHING },
  passkey_failed: {
    category: "sign_in",
    data: { reason: ["text", "what was wrong with it: `not_verified`, `challenge_replayed`, `unknown_passkey` …"] },
  },
  passkey_clone_suspected: { category: "sign_in", data: NOTHING },
  recovery_codes_made: { category: "factor", data: NOTHING },
  recovery_code_used: { category: "factor", data: { left: ["number", "how many codes are left"] } },
  session_started: {
    category: "session",
    data: { newBrowser: ["flag", "there, and true, where the person had not signed in with the browser before"] },
  },
  session_ended: {
    category: "session",
    data: { reason: ["text", "`signed_out`, `replaced`, `limit`, `ended_by_person`, `password_changed` …"] },
  },
  consent_given: { category: "consent", data: { scopes: ["texts", "what was allowed"] } },
  consent_withdrawn: { category: "consent", data: NOTHING },
  client_created: { category: "client", data: NOTHING },
  client_changed: { category: "client", data: KEYS_CHANGED },
  client_grants_revoked: { category: "client", data: NOTHING },
  client_removed: { category: "client", data: NOTHING },
  client_throttled: { category: "client", data: NOTHING },
  client_secret_rotated: {
    category: "client",
    data: { keepOldForSeconds: ["number", "how long the old secret works; absent where it is dead"] },
  },
  resource_server_created: { category: "client", data: RESOURCE_SERVER },
  resource_server_changed: { category: "client", data: { ...RESOURCE_SERVER, ...KEYS_CHANGED } },
  resource_server_removed: { category: "client", data: RESOURCE_SERVER },
  signing_key_created: { category: "key", data: KEY },
  signing_key_rotated: { category: "key", data: KEY },
  signing_key_retired: { category: "key", data: KEY },
  signing_key_deleted: { category: "key", data: KEY },
  signing_key_withdrawn: { category: "key", data: KEY },
  authorization_code_reused: { category: "token", data: NOTHING },
  refresh_token_reused: { category: "token", data: NOTHING },
  back_channel_logout_rejected: { category: "client", data: UNDELIVERED },
  back_channel_logout_given_up: { category: "client", data: UNDELIVERED },
  epoch_started: {
    category: "token",
    data: { reason: ["text", "`protocol_store_lost` or `protocol_store_restored`"] },
  },
  token_revoked: {
    category: "token",
    data: { kind: ["text", "`jwt_access_token`, `opaque_access_token` or `refresh_token`"] },
  },
  audit_key_replaced: {
    category: "audit",
    data: { keyId: ["text", "of the new one"], position: ["text", "the end of the chain at that moment"] },
  },
  webhook_added: { category: "audit", data: { ...WEBHOOK, host: ["text", "of its URL"] } },
  webhook_removed: { category: "audit", data: WEBHOOK },
  webhook_secret_rotated: {
    category: "audit",
    data: { ...WEBHOOK, keepOldForSeconds: ["number", "0 where it signs no more"] },
  },
  webhook_disabled: {
    category: "audit",
    data: {
      ...WEBHOOK,
      reason: ["text", "`operator`, `gone` (it answered 410) or `failing` (it took nothing for three days)"],
    },
  },
  webhook_enabled: { category: "audit", data: WEBHOOK },
  webhook_given_up: {
    category: "audit",
    data: {
      ...WEBHOOK,
      tries: ["number", "how many there were"],
      reason: ["text", "`status_500`, `failed_timeout` …"],
    },
  },
};

/** What an event says of itself that the catalogue does not know: for tests, which hold the two in step. */
export function undeclaredIn(type: AuditEventType, data: Readonly<Record<string, unknown>>): readonly string[] {
  const declared = EVENT_DETAILS[type].data;
  return Object.entries(data).flatMap(([name, value]) => (declared[name]?.[0] === kindOf(value) ? [] : [name]));
}

function kindOf(value: unknown): DataKind | undefined {
  if (typeof value === "string") return "text";
  if (typeof value === "number") return "number";
  if (typeof value === "boolean") return "flag";
  return Array.isArray(value) ? "texts" : undefined;
}
