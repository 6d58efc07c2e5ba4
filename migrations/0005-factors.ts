import { type Kysely, sql } from "kysely";

/** For `latchkey plan`. */
export const effects = {
  locks: [{ table: "accounts", kind: "rewrite" }],
  // The version before creates accounts without password_changed_at, which must be there.
  sideBySide: false,
};

/** Second factors, passkeys, and the browsers that people have signed in from before. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
}

export async function down(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS_BACK) await sql.raw(statement).execute(db);
}

const STATEMENTS = [
  // proofs_since: what somebody proved before this, half way through a sign-in, counts for nothing.
  `alter table accounts add column proofs_since timestamptz`,
  `alter table accounts add column password_changed_at timestamptz`,
  `update accounts set password_changed_at = created_at`,
  `alter table accounts alter column password_changed_at set not null`,

  // secret: sealed, with the id as context. last_step: the newest 30-second step of which a code was accepted; a code
  // works once because accepting it moves this on, in one conditional update.
  `create table totp_devices (
     id text primary key,
     account_id text not null references accounts (id) on delete cascade,
     name text not null,
     secret bytea not null,
     last_step bigint not null default 0,
     created_at timestamptz not null,
     last_used_at timestamptz
   )`,
  `create index totp_devices_account on totp_devices (account_id)`,
  // A device that was shown its secret and has not proved yet that it took it: one an account and a sign-in or session,
  // for half an hour. binding: a digest of which.
  `create table totp_enrollments (
     account_id text not null references accounts (id) on delete cascade,
     binding text not null,
     device_id text not null,
     secret bytea not null,
     expires_at timestamptz not null,
     primary key (account_id, binding)
   )`,
  `create index totp_enrollments_expires_at on totp_enrollments (expires_at)`,

  // shown: the codes themselves, sealed, from their making until the person says that they are saved, or shown_until.
  `create table recovery_code_sets (
     account_id text primary key references accounts (id) on delete cascade,
     created_at timestamptz not null,
     shown bytea,
     shown_until timestamptz
   )`,
  `create index recovery_code_sets_shown_until on recovery_code_sets (shown_until) where shown is not null`,
  `create table recovery_codes (
     account_id text not null references recovery_code_sets (account_id) on delete cascade,
     position smallint not null,
     code_hash text not null,
     used_at timestamptz,
     primary key (account_id, position)
   )`,

  // id: the credential id in base64url. counter: the newest signature counter; 0 for those that do not count.
  `create table passkeys (
     id text primary key,
     account_id text not null references accounts (id) on delete cascade,
     name text not null,
     public_key bytea not null,
     counter bigint not null,
     transports text[] not null default '{}',
     aaguid text not null,
     is_synced boolean not null,
     is_backed_up boolean not null,
     created_at timestamptz not null,
     last_used_at timestamptz
   )`,
  `create index passkeys_account on passkeys (account_id)`,
  // Challenges say themselves what they are good for, so that nobody has to store them; what was answered once is noted until it expires by itself.
  `create table answered_challenges (
     digest text primary key,
     expires_at timestamptz not null
   )`,
  `create index answered_challenges_expires_at on answered_challenges (expires_at)`,

  // subject: an account, or a network whose failed passkeys are counted; device: a known browser of the account, which
  // has a budget of its own, or nothing.
  `create table factor_throttle (
     subject text not null,
     device text not null,
     attempts smallint not null,
     ends_at timestamptz not null,
     primary key (subject, device)
   )`,
  `create index factor_throttle_ends_at on factor_throttle (ends_at)`,

  // device: a digest of what the browser's cookie holds. trusted_until: until when it is asked for no second factor.
  `create table known_devices (
     account_id text not null references accounts (id) on delete cascade,
     device text not null,
     created_at timestamptz not null,
     last_used_at timestamptz not null,
     expires_at timestamptz not null,
     trusted_until timestamptz,
     primary key (account_id, device)
   )`,
  `create index known_devices_device on known_devices (device)`,
  `create index known_devices_expires_at on known_devices (expires_at)`,
];

const STATEMENTS_BACK = [
  `drop table known_devices`,
  `drop table factor_throttle`,
  `drop table answered_challenges`,
  `drop table passkeys`,
  `drop table recovery_codes`,
  `drop table recovery_code_sets`,
  `drop table totp_enrollments`,
  `drop table totp_devices`,
  `alter table accounts drop column proofs_since`,
  `alter table accounts drop column password_changed_at`,
];
