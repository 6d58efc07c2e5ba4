import { EventEmitter } from "node:events";
import type pg from "pg";
import { describe, expect, test } from "vitest";
import { carefulPool } from "./careful-pool.ts";

const BROKEN = Object.assign(new Error("terminating connection"), { code: "57P01" });
const READ_ONLY = Object.assign(new Error("cannot execute UPDATE in a read-only transaction"), { code: "25006" });
const LATE = new Error("Query read timeout");

/** A pool that gives these connections one after the other; each answers as its list says, and then with its number. */
function openPool(connections: readonly (readonly unknown[])[]) {
  const events = new EventEmitter();
  const sent: string[] = [];
  const released: string[] = [];
  const timeouts: number[] = [];
  let taken = 0;
  const pool = Object.assign(events, { options: {}, end: async () => undefined }) as unknown as pg.Pool;
  async function connect(): Promise<pg.PoolClient> {
    const number = taken;
    taken += 1;
    const answers = [...(connections[number] ?? [])];
    const client = {
      async query({ text, query_timeout }: { readonly text: string; readonly query_timeout: number }) {
        sent.push(`${number}: ${text}`);
        timeouts.push(query_timeout);
        const answer = answers.shift();
        if (answer instanceof Error) throw answer;
        return { rows: [number] };
      },
      release: (isDestroyed: boolean) => void released.push(`${number} ${isDestroyed ? "destroyed" : "kept"}`),
    };
    // Old ones were in the pool before; a new one is made when it is asked for.
    if (answers[0] === undefined) events.emit("connect", client);
    return client as unknown as pg.PoolClient;
  }
  const careful = carefulPool(pool, { connect, queryTimeoutMs: 900 });
  async function ask(...texts: readonly string[]): Promise<unknown> {
    const client = await careful.connect();
    try {
      let result: { readonly rows: readonly unknown[] } = { rows: [] };
      for (const text of texts) result = await client.query(text, []);
      return result.rows;
    } finally {
      client.release();
    }
  }
  return { ask, sent, released, timeouts };
}

describe("a connection that broke while it waited", () => {
  test("does not fail a read, which is done once more over one that was made since", async () => {
    const pool = openPool([[BROKEN], [BROKEN], []]);
    expect(await pool.ask("select 1 from accounts")).toEqual([2]);
    expect(pool.released).toEqual(["0 destroyed", "1 destroyed", "2 kept"]);
    expect(pool.sent).toEqual(["0: select 1 from accounts", "2: select 1 from accounts"]);
  });

  test.each([
    "insert into a values (1)",
    "begin",
    "with a as (delete from b returning 1) select 1 from a",
    "select 1 from a for update",
    "select 1 from a for no key update skip locked",
    "select pg_notify('a', 'b')",
  ])("fails %s, which may have been carried out", async (text) => {
    const pool = openPool([[BROKEN], []]);
    await expect(pool.ask(text)).rejects.toBe(BROKEN);
    expect(pool.sent).toHaveLength(1);
  });

  test("fails a read that is not the first statement: it may be part of a transaction", async () => {
    const pool = openPool([[undefined, BROKEN], []]);
    await expect(pool.ask("begin", "select 1")).rejects.toBe(BROKEN);
  });
});

test.each([
  ["only reads", READ_ONLY],
  ["did not answer in time", LATE],
])("a connection to a server that %s is not used again", async (_title, error) => {
  const pool = openPool([[error]]);
  await expect(pool.ask("update a set b = 1")).rejects.toBe(error);
  expect(pool.released).toEqual(["0 destroyed"]);
});

test("a statement that fails for itself leaves its connection in the pool", async () => {
  const duplicate = Object.assign(new Error("duplicate key"), { code: "23505" });
  const pool = openPool([[duplicate]]);
  await expect(pool.ask("insert into a values (1)")).rejects.toBe(duplicate);
  expect(pool.released).toEqual(["0 kept"]);
});

test("the wait for a connection is part of a first statement's time, and of no other's", async () => {
  const pool = openPool([[]]);
  await pool.ask("select 1", "select 2");
  expect(pool.timeouts[0]).toBeLessThan(900);
  expect(pool.timeouts[0]).toBeGreaterThan(100);
  expect(pool.timeouts[1]).toBe(900);
});
