import type { FactorServices } from "../dependencies.ts";
import { withTables } from "../tables.ts";
import { isReadable, renewSeal } from "./secrets.ts";

const PAGE_ROWS = 500;

/**
 * Seals secrets anew that an older `LATCHKEY_SECRET` sealed, so that it can be given up; returns how many. What nothing
 * opens any more stays as it is. Any number of nodes may do so at once.
 */
export async function resealSecrets({ db, sealer }: Pick<FactorServices, "db" | "sealer">): Promise<number> {
  const tables = withTables(db);
  let count = 0;
  for (let after = ""; ;) {
    const query = tables.selectFrom("totp_devices").select(["id", "secret"]).where("id", ">", after);
    const rows = await query.orderBy("id").limit(PAGE_ROWS).execute();
    for (const { id, secret } of rows) {
      const sealed = { deviceId: id, sealed: secret };
      if (!sealer.isStale(secret) || !isReadable(sealer, sealed)) continue;
      const renewed = renewSeal(sealer, sealed);
      const change = tables.updateTable("totp_devices").set({ secret: renewed }).where("id", "=", id);
      count += Number((await change.where("secret", "=", secret).executeTakeFirst()).numUpdatedRows);
    }
    if (rows.length < PAGE_ROWS) return count;
    after = rows.at(-1)?.id ?? "";
  }
}
