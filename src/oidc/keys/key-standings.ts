import { sql } from "kysely";
import { type Db, guardStore } from "../../storage/index.ts";

/** The signing keys of one algorithm in one state. */
export interface KeyStanding {
  readonly algorithm: string;
  readonly state: string;
  readonly count: number;
  /** When the first of them came into this state, in milliseconds since the Unix epoch. */
  readonly sinceMs: number;
}

/** How the signing keys stand, for operators. @throws AppError STORE_UNAVAILABLE */
export async function listKeyStandings(db: Db): Promise<readonly KeyStanding[]> {
  const { rows } = await guardStore(() =>
    sql<{ algorithm: string; state: string; count: number; since: Date }>`
      select algorithm, state, count(*)::integer as count,
          min(case state when 'retired' then retired_at when 'current' then activated_at else created_at end) as since
        from oidc_signing_keys group by algorithm, state`.execute(db),
  );
  return rows.map(({ algorithm, state, count, since }) => ({ algorithm, state, count, sinceMs: since.getTime() }));
}
