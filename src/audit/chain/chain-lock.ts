import { sql } from "kysely";
import type { Db } from "../../storage/index.ts";

/** Whoever adds to the chain, or takes something off its beginning, holds it until the commit. */
const CHAIN_LOCK = 7_246_116;

/** `false`: another node has it. */
export async function tryLockChain(tx: Db): Promise<boolean> {
  const { rows } = await sql<{ isOurs: boolean }>`
    select pg_try_advisory_xact_lock(${CHAIN_LOCK}) as "isOurs"`.execute(tx);
  return rows[0]?.isOurs === true;
}

export async function lockChain(tx: Db): Promise<void> {
  await sql`select pg_advisory_xact_lock(${CHAIN_LOCK})`.execute(tx);
}
