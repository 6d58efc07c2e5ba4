import { sql } from "kysely";
import { type Clock, epochSeconds } from "../../core/index.ts";
import { type Db, DELETE_BATCH, deleteInBatches, guardStore } from "../../storage/index.ts";
import type { FieldChange, Fields, ProtocolStore } from "./store.ts";

type StateTables = {
  oidc_state: { key: string; fields: Record<string, string>; expires_at: string };
};

/** Protocol state in Postgres: one row per key, its fields in one document with base64 values. */
export function createPostgresStore(deps: { db: Db; clock: Clock }): ProtocolStore {
  const db = deps.db.withTables<StateTables>();
  const now = (): number => epochSeconds(deps.clock);

  return {
    async read(keys) {
      const query = db
        .selectFrom("oidc_state")
        .select(["key", "fields"])
        .where("key", "in", [...keys]);
      const rows = await guardStore(() => query.where("expires_at", ">", String(now())).execute());
      const byKey = new Map(rows.map(({ key, fields }) => [key, toFields(fields)]));
      return keys.map((key) => byKey.get(key) ?? new Map());
    },
    async change(key, change) {
      if (change.expiresAt <= now()) return false;
      const isCreation = [...change.expect.values()].every((value) => value === undefined);
      const statement = isCreation ? creation(key, change, now()) : update(key, change, now());
      const { rows } = await guardStore(() => statement.execute(db));
      return rows.length === 1;
    },
    async delete(key) {
      await guardStore(() => db.deleteFrom("oidc_state").where("key", "=", key).execute());
    },
  };
}

/** Postgres looks at the condition again after waiting for a parallel change of the row, so that one of two wins. */
function update(key: string, change: FieldChange, now: number) {
  return sql`
    update oidc_state
    set fields = (fields || ${encode(change.set)}::jsonb) - ${[...(change.drop ?? [])]}::text[],
        expires_at = greatest(expires_at, ${change.expiresAt}::bigint)
    where key = ${key} and expires_at > ${now}::bigint
      and fields @> ${encode(presentOf(change))}::jsonb
      and not fields ?| ${absentOf(change)}::text[]
    returning 1`;
}

function creation(key: string, change: FieldChange, now: number) {
  return sql`
    insert into oidc_state as state (key, fields, expires_at)
    values (${key}, ${encode(change.set)}::jsonb - ${[...(change.drop ?? [])]}::text[], ${change.expiresAt}::bigint)
    on conflict (key) do update
    set fields = (case when state.expires_at > ${now}::bigint then state.fields else '{}'::jsonb end
                  || excluded.fields) - ${[...(change.drop ?? [])]}::text[],
        expires_at = greatest(state.expires_at, excluded.expires_at)
    where state.expires_at <= ${now}::bigint or not state.fields ?| ${absentOf(change)}::text[]
    returning 1`;
}

function presentOf(change: FieldChange): Map<string, Buffer> {
  const present = new Map<string, Buffer>();
  for (const [field, value] of change.expect) if (value !== undefined) present.set(field, value);
  return present;
}

function absentOf(change: FieldChange): string[] {
  return [...change.expect].filter(([, value]) => value === undefined).map(([field]) => field);
}

function encode(fields: Iterable<readonly [string, Buffer]> | undefined): string {
  return JSON.stringify(
    Object.fromEntries([...(fields ?? [])].map(([name, value]) => [name, value.toString("base64")])),
  );
}

function toFields(document: Record<string, string>): Fields {
  return new Map(Object.entries(document).map(([name, value]) => [name, Buffer.from(value, "base64")]));
}

/** Deletes what has expired, a batch at a time; returns how many keys. Redis does this by itself. */
export async function sweepPostgresStore(deps: { db: Db; clock: Clock }): Promise<number> {
  const now = epochSeconds(deps.clock);
  return deleteInBatches(async () => {
    const { numAffectedRows = 0n } = await sql`
      delete from oidc_state where key in (
        select key from oidc_state where expires_at <= ${now}::bigint limit ${DELETE_BATCH} for update skip locked)`.execute(
      deps.db,
    );
    return numAffectedRows;
  });
}
