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
} as const;

export type EventCategory = keyof typeof EVENT_CATEGORIES;

/** `succeeded`: it was done. `refused`: somebody wanted it and did not get it. `failed`: we could not do it. */
export type EventOutcome = "succeeded" | "refused" | "failed";

/** Whose doing an event is. `server`: ours, because something was due or had to be. */
export type EventActor = "person" | "operator" | "client" | "server";

export type DataKind = "text" | "number" | "flag" | "texts";

export interface EventFacts {
  readonly category: EventCategory;
  readonly outcome: EventOutcome;
  readonly by: readonly EventActor[];
  /** The members that `data` may have: of which kind, and what they say. */
  readonly data: Readonly<Record<string, readonly [kind: DataKind, meaning: string]>>;
}

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
const KEYS_CHANGED = { keys: ["texts", "names of the settings"] } as const;

const person = { by: ["person"], outcome: "succeeded", data: {} } as const;
const operator = { by: ["operator"], outcome: "succeeded", data: {} } as const;
const refused = { by: ["person"], outcome: "refused", data: {} } as const;

/** What is the same of every event of a type, and what its `data` may hold. The sentences are in `event-catalogue.ts`. */
export const EVENT_FACTS: Readonly<Record<AuditEventType, EventFacts>> = {
  account_registered: { ...person, category: "account", by: ["person", "operator"] },
  account_disabled: { ...operator, category: "account" },
  account_enabled: { ...operator, category: "account" },
  profile_changed: { ...person, category: "account", data: { fields: ["texts", "`name`, `locale`"] } },
  password_changed: { ...person, category: "account" },
  password_change_failed: { ...refused, category: "account" },
  account_deleted: { ...person, category: "account" },
  sign_in_succeeded: { ...person, category: "sign_in" },
  sign_in_failed: {
    ...refused,
    category: "sign_in",
    data: { reason: ["text", "`unknown_account`, `wrong_password` or `account_disabled`"] },
  },
  sign_in_throttled: { ...refused, category: "sign_in", data: { by: ["text", "`account` or `address`"] } },
  factor_enrolled: { ...person, category: "factor", data: FACTOR },
  factor_renamed: { ...person, category: "factor", data: FACTOR },
  factor_removed: { ...person, category: "factor", data: FACTOR },
  factor_verified: { ...person, category: "sign_in", data: FACTOR },
  factor_failed: {
    ...refused,
    category: "sign_in",
    data: { ...CODE_FACTOR, reason: ["text", "`wrong_code` or `replayed_code`"] },
  },
  factor_paused: { ...refused, category: "sign_in", data: CODE_FACTOR },
  factors_reset: { ...operator, category: "factor" },
  passkey_failed: {
    ...refused,
    category: "sign_in",
    data: { reason: ["text", "what was wrong with it: `not_verified`, `challenge_replayed`, `unknown_passkey` …"] },
  },
  passkey_clone_suspected: { ...refused, category: "sign_in" },
  recovery_codes_made: { ...person, category: "factor" },
  recovery_code_used: { ...person, category: "factor", data: { left: ["number", "how many codes are left"] } },
  session_started: {
    ...person,
    category: "session",
    data: { newBrowser: ["flag", "there, and true, where the person had not signed in with the browser before"] },
  },
  session_ended: {
    ...person,
    category: "session",
    by: ["person", "operator", "server"],
    data: { reason: ["text", "`signed_out`, `replaced`, `limit`, `ended_by_person`, `password_changed` …"] },
  },
  consent_given: { ...person, category: "consent", data: { scopes: ["texts", "what was allowed"] } },
  consent_withdrawn: { ...person, category: "consent" },
  client_created: { ...operator, category: "client" },
  client_changed: { ...operator, category: "client", data: KEYS_CHANGED },
  client_grants_revoked: { ...operator, category: "client" },
  client_removed: { ...operator, category: "client" },
  client_secret_rotated: {
    ...operator,
    category: "client",
    data: { keepOldForSeconds: ["number", "how long the old secret works; absent where it is dead"] },
  },
  resource_server_created: { ...operator, category: "client", data: RESOURCE_SERVER },
  resource_server_changed: { ...operator, category: "client", data: { ...RESOURCE_SERVER, ...KEYS_CHANGED } },
  resource_server_removed: { ...operator, category: "client", data: RESOURCE_SERVER },
  signing_key_created: { ...operator, category: "key", by: ["server", "operator"], data: KEY },
  signing_key_rotated: { ...operator, category: "key", by: ["server", "operator"], data: KEY },
  signing_key_retired: { ...operator, category: "key", by: ["server", "operator"], data: KEY },
  signing_key_deleted: { ...operator, category: "key", by: ["server"], data: KEY },
  signing_key_withdrawn: { ...operator, category: "key", data: KEY },
  authorization_code_reused: { by: ["client"], outcome: "refused", category: "token", data: {} },
  refresh_token_reused: { by: ["client"], outcome: "refused", category: "token", data: {} },
  back_channel_logout_rejected: { by: ["client"], outcome: "failed", category: "client", data: UNDELIVERED },
  back_channel_logout_given_up: { by: ["server"], outcome: "failed", category: "client", data: UNDELIVERED },
  epoch_started: {
    ...operator,
    category: "token",
    by: ["server"],
    data: { reason: ["text", "`protocol_store_lost` or `protocol_store_restored`"] },
  },
  token_revoked: {
    ...operator,
    category: "token",
    by: ["client", "operator"],
    data: { kind: ["text", "`jwt_access_token`, `opaque_access_token` or `refresh_token`"] },
  },
};

/** What an event says of itself that the catalogue does not know: for tests, which hold the two in step. */
export function undeclaredIn(type: AuditEventType, data: Readonly<Record<string, unknown>>): readonly string[] {
  const declared = EVENT_FACTS[type].data;
  return Object.entries(data).flatMap(([name, value]) => (declared[name]?.[0] === kindOf(value) ? [] : [name]));
}

function kindOf(value: unknown): DataKind | undefined {
  if (typeof value === "string") return "text";
  if (typeof value === "number") return "number";
  if (typeof value === "boolean") return "flag";
  return Array.isArray(value) ? "texts" : undefined;
}
