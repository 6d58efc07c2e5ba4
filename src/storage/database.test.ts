import { sql } from "kysely";
import { beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { isAppError } from "../core/index.ts";
import { freePort } from "../../test/support/servers.ts";
import { type Database, openEmbedded, openPostgres } from "./database.ts";
import { guardStore, isStoreFailure } from "./failures.ts";
import { createMigrations } from "./migrations.ts";

const EMBEDDED_START_TIMEOUT_MS = 30_000;

describe("a Postgres that is not there", () => {
  test("makes calls and probes fail within a second, as a store that is away", async () => {
    const url = `postgres://nobody@127.0.0.1:${await freePort()}/none`;
    const database = openPostgres({ url, poolMax: 2, onConnectionError: () => undefined });
    onTestFinished(() => database.close());
    const begun = performance.now();
    const select = (): Promise<unknown> => sql`select 1`.execute(database.db);
    expect(isStoreFailure(await select().catch((error: unknown) => error))).toBe(true);
    await expect(guardStore(select)).rejects.toMatchObject({ code: "STORE_UNAVAILABLE", status: 503 });
    await expect(database.ping()).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" });
    expect(performance.now() - begun).toBeLessThan(1_500);
  });
});

describe("on embedded Postgres", () => {
  let database: Database;
  beforeAll(async () => {
    database = await openEmbedded(undefined);
    return () => database.close();
  }, EMBEDDED_START_TIMEOUT_MS);

  test("migrations are pending, then applied once, then revertible and applied again", async () => {
    const migrations = createMigrations(database.db);
    const pending = await migrations.listPending();
    expect(pending[0]).toBe("0001-first-tables");
    expect(await migrations.apply()).toEqual(pending);
    expect(await migrations.listPending()).toEqual([]);
    expect(await migrations.apply()).toEqual([]);
    await migrations.revertAll();
    expect(await migrations.listPending()).toEqual(pending);
    expect(await migrations.apply()).toEqual(pending);
  });

  test("a statement of ours that is wrong is a bug and not a store that is away", async () => {
    const failure = await guardStore(() => sql`select no_such_column`.execute(database.db)).catch(
      (error: unknown) => error,
    );
    expect(failure).toBeInstanceOf(Error);
    expect(isStoreFailure(failure)).toBe(false);
    expect(isAppError(failure)).toBe(false);
  });

  test("a probe is answered", async () => {
    await expect(database.ping()).resolves.toBeUndefined();
  });
});

describe("which errors mean that a store is away", () => {
  test.each([
    ["a refused connection", { code: "ECONNREFUSED" }, true],
    ["a server that shuts down", { code: "57P01" }, true],
    ["too many connections", { code: "53300" }, true],
    ["a connection that broke", { code: "08006" }, true],
    ["a unique violation", { code: "23505" }, false],
    ["an ordinary bug", {}, false],
  ])("%s", (_, members, isAway) => {
    expect(isStoreFailure(Object.assign(new Error("it failed"), members))).toBe(isAway);
  });

  test.each([undefined, null, "ECONNREFUSED", { code: "ECONNREFUSED" }])(
    "%j, which is no error, does not",
    (thrown) => {
      expect(isStoreFailure(thrown)).toBe(false);
    },
  );
});
