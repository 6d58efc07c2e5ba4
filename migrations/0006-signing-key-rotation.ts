import { type Kysely, sql } from "kysely";

/** For `latchkey plan`. */
export const effects = {
  locks: [{ table: "oidc_signing_keys", kind: "short" }],
  // The version before fails on a key that has no private half.
  sideBySide: false,
};

/** Signing keys that rotate, and whose private half may be gone already, or lie elsewhere. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
}

export async function down(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS_BACK) await sql.raw(statement).execute(db);
}

const STATEMENTS = [
  // sealed_private_jwk: null once the key is retired, and for keys that lie elsewhere. external_reference: how whatever
  // holds such a key knows it.
  `alter table oidc_signing_keys alter column sealed_private_jwk drop not null`,
  `alter table oidc_signing_keys add column external_reference text`,
  `create unique index oidc_signing_keys_next on oidc_signing_keys (algorithm) where state = 'next'`,
];

const STATEMENTS_BACK = [
  `drop index oidc_signing_keys_next`,
  `alter table oidc_signing_keys drop column external_reference`,
  `delete from oidc_signing_keys where sealed_private_jwk is null`,
  `alter table oidc_signing_keys alter column sealed_private_jwk set not null`,
];
