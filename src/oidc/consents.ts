import type { Kysely } from "kysely";
import type { Clock } from "../core/index.ts";
import type { Audit } from "../audit/index.ts";
import { type Db, guardStore } from "../storage/index.ts";

/** Scopes that a person allowed a client: of the identity, and of each resource server by its identifier. */
export interface ConsentedScopes {
  readonly identity: readonly string[];
  readonly resources: Readonly<Record<string, readonly string[]>>;
}

export interface GivenConsent {
  readonly clientId: string;
  readonly scopes: ConsentedScopes;
  /** When the person allowed something of it last. */
  readonly givenAt: Date;
}

type ConsentTables = {
  oidc_consents: { account_id: string; client_id: string; scopes: ConsentedScopes | string; given_at: Date };
};

/** What people allowed clients, kept beyond the session so that nobody is asked the same thing at every sign-in. */
export interface Consents {
  find(accountId: string, clientId: string): Promise<ConsentedScopes | undefined>;
  /** All that a person allowed, the newest first. */
  list(accountId: string): Promise<readonly GivenConsent[]>;
  /** Adds to what was allowed before. */
  give(accountId: string, clientId: string, scopes: ConsentedScopes): Promise<void>;
}

export function createConsents(deps: { db: Db; clock: Clock; audit: Audit }): Consents {
  const db = deps.db.withTables<ConsentTables>();

  return {
    find: (accountId, clientId) => guardStore(() => read(db, accountId, clientId)),
    list: (accountId) =>
      guardStore(async () => {
        const rows = await db
          .selectFrom("oidc_consents")
          .select(["client_id", "scopes", "given_at"])
          .where("account_id", "=", accountId)
          .orderBy("given_at", "desc")
          .execute();
        return rows.map((row) => ({ clientId: row.client_id, scopes: parse(row.scopes), givenAt: row.given_at }));
      }),
    give: (accountId, clientId, scopes) =>
      guardStore(() =>
        deps.db.transaction().execute(async (tx) => {
          const tables = tx.withTables<ConsentTables>();
          const before = await read(tables, accountId, clientId);
          const merged = JSON.stringify(before === undefined ? scopes : union(before, scopes));
          const givenAt = new Date(deps.clock.nowMs());
          await tables
            .insertInto("oidc_consents")
            .values({ account_id: accountId, client_id: clientId, scopes: merged, given_at: givenAt })
            .onConflict((conflict) =>
              conflict.columns(["account_id", "client_id"]).doUpdateSet({ scopes: merged, given_at: givenAt }),
            )
            .execute();
          await deps.audit.append(tx, {
            type: "consent_given",
            accountId,
            clientId,
            data: { scopes: [...scopes.identity, ...Object.entries(scopes.resources).flatMap(namesAt)] },
          });
        }),
      ),
  };
}

/** Within a transaction; `false` when the person had not allowed the client anything. */
export async function forgetConsent(tx: Db, accountId: string, clientId: string): Promise<boolean> {
  const { numDeletedRows } = await tx
    .withTables<ConsentTables>()
    .deleteFrom("oidc_consents")
    .where("account_id", "=", accountId)
    .where("client_id", "=", clientId)
    .executeTakeFirst();
  return numDeletedRows > 0n;
}

/** Scopes of an API, told apart from those of another by its identifier. */
function namesAt([identifier, names]: [string, readonly string[]]): string[] {
  return names.map((name) => `${identifier} ${name}`);
}

async function read(
  db: Kysely<ConsentTables>,
  accountId: string,
  clientId: string,
): Promise<ConsentedScopes | undefined> {
  const row = await db
    .selectFrom("oidc_consents")
    .select("scopes")
    .where("account_id", "=", accountId)
    .where("client_id", "=", clientId)
    .executeTakeFirst();
  return row && parse(row.scopes);
}

function parse(scopes: ConsentedScopes | string): ConsentedScopes {
  return typeof scopes === "string" ? (JSON.parse(scopes) as ConsentedScopes) : scopes;
}

function union(left: ConsentedScopes, right: ConsentedScopes): ConsentedScopes {
  const identifiers = new Set([...Object.keys(left.resources), ...Object.keys(right.resources)]);
  const resources = [...identifiers].map((identifier): [string, string[]] => [
    identifier,
    [...new Set([...(left.resources[identifier] ?? []), ...(right.resources[identifier] ?? [])])],
  ]);
  return { identity: [...new Set([...left.identity, ...right.identity])], resources: Object.fromEntries(resources) };
}
