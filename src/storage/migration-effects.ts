import { z } from "zod";

/**
 * How long others wait for a table that a migration changes. `short`: for the transactions that are under way, and some
 * milliseconds. `rewrite`: for as long as it takes to go through all of its rows.
 */
const LOCK_KINDS = ["short", "rewrite"] as const;

/** What every migration declares beside its statements, as `effects`. `locks` is empty where nobody waits. */
export const migrationEffectsSchema = z.strictObject({
  locks: z.array(z.strictObject({ table: z.string(), kind: z.enum(LOCK_KINDS) })),
  /** Whether servers of the version before work on the tables as they are afterwards, and do no harm. */
  sideBySide: z.boolean(),
});

export type MigrationEffects = z.infer<typeof migrationEffectsSchema>;

/** @param migration its module. */
export function readEffects(migration: object): MigrationEffects {
  return migrationEffectsSchema.parse("effects" in migration ? migration.effects : undefined);
}
