import { sql } from "kysely";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { createMigrations, type Database, type Db, openEmbedded } from "../../storage/index.ts";
import { createSharedPlaces, type SharedPlaces } from "./shared-places.ts";

let database: Database;
let running: string[];

beforeAll(async () => {
  database = await openEmbedded(undefined);
  await createMigrations(database.db).apply();
}, 30_000);
afterAll(() => database.close());
beforeEach(async () => {
  running = ["one", "two"];
  await sql`truncate feed_connections`.execute(database.db);
});

function placesOf(ownId: string, db: Db = database.db): SharedPlaces {
  return createSharedPlaces({ db, nodes: { ownId, listIds: async () => running }, clientConnectionsMax: 2 });
}

async function countRows(): Promise<number> {
  const { rows } = await sql<{ count: string }>`select count(*) as count from feed_connections`.execute(database.db);
  return Number(rows[0]?.count);
}

async function letPass(seconds: number): Promise<void> {
  await sql`update feed_connections set opened_at = opened_at - make_interval(secs => ${seconds})`.execute(database.db);
}

/** A database whose statements fail while `isAway`. */
function breakable() {
  const state = { isAway: false };
  const db = new Proxy(database.db, {
    get(target, key) {
      if (state.isAway) throw new Error("away");
      const value: unknown = Reflect.get(target, key);
      return typeof value === "function" ? (value.bind(target) as unknown) : value;
    },
  });
  return { state, db };
}

test("two places of one client are two places over all nodes, and one given back is free at all of them", async () => {
  const [one, two] = [placesOf("one"), placesOf("two")];
  const leave = await one.take("orders");
  expect(await two.take("orders")).toBeDefined();
  expect(await one.take("orders")).toBeUndefined();
  expect(await two.take("orders")).toBeUndefined();
  expect(await two.take("ledger")).toBeDefined();
  leave?.();
  leave?.();
  await one.settle();
  expect(await two.take("orders")).toBeDefined();
  expect(await one.take("orders")).toBeUndefined();
});

test("openings at the same moment do not get past the limit", async () => {
  const [one, two] = [placesOf("one"), placesOf("two")];
  const taken = await Promise.all([one, two, one, two, one, two].map((places) => places.take("orders")));
  expect(taken.filter((leave) => leave !== undefined)).toHaveLength(2);
});

test.each([
  [19, "counts", 2],
  [21, "does not count, and is swept", 0],
])("a place that a node of which nothing is heard took %i seconds ago %s", async (seconds, _, left) => {
  const [one, two] = [placesOf("one"), placesOf("two")];
  await two.take("orders");
  await two.take("orders");
  running = ["one"];
  await letPass(seconds);
  expect((await one.take("orders")) === undefined).toBe(left > 0);
  await sql`delete from feed_connections where node_id = 'one'`.execute(database.db);
  await one.sweep();
  // The one that it took itself is noted again, should it be gone.
  expect(await countRows()).toBe(left === 0 ? 1 : left);
});

test("a node counts its own although its own signs of life do not arrive", async () => {
  const one = placesOf("one");
  await one.take("orders");
  await one.take("orders");
  running = [];
  await letPass(60);
  expect(await one.take("orders")).toBeUndefined();
  await one.sweep();
  expect(await countRows()).toBe(2);
});

test("a place that cannot be given back just now is given back later, and nobody fails for that", async () => {
  const { state, db } = breakable();
  const one = placesOf("one", db);
  const leave = await one.take("orders");
  state.isAway = true;
  leave?.();
  await one.settle();
  expect(await countRows()).toBe(1);
  state.isAway = false;
  await one.settle();
  expect(await countRows()).toBe(0);
});

test("a row of its own that stands for no connection is swept, once it is not young", async () => {
  await placesOf("one").take("orders");
  const restarted = placesOf("one");
  await restarted.sweep();
  expect(await countRows()).toBe(1);
  await letPass(21);
  await restarted.sweep();
  expect(await countRows()).toBe(0);
});

test("without the table nobody gets a place", async () => {
  const { state, db } = breakable();
  const one = placesOf("one", db);
  state.isAway = true;
  await expect(one.take("orders")).rejects.toThrow("away");
});
