import { sql } from "kysely";
import { expect, onTestFinished, test } from "vitest";
import { asStoreFailure, openPostgres } from "../../src/storage/index.ts";
import { layCable } from "../support/cable.ts";
import { createEmptyDatabase } from "../support/stores.ts";

test("a connection that breaks within a transaction is a store that is away, and no bug", async () => {
  const database = await createEmptyDatabase();
  onTestFinished(() => database.drop());
  const cable = await layCable(database.url);
  onTestFinished(() => cable.close());
  const node = openPostgres({ url: cable.url, poolMax: 1, onConnectionError: () => undefined });
  onTestFinished(() => node.close());

  const failure = await node.db
    .transaction()
    .execute(async (tx) => {
      await sql`select 1`.execute(tx);
      await cable.cut();
      await sql`select 2`.execute(tx);
    })
    .then(
      () => undefined,
      (error: unknown) => error,
    );
  expect(asStoreFailure(failure)).toMatchObject({ code: "STORE_UNAVAILABLE" });
});
