import { sql } from "kysely";
import { afterAll, beforeAll, beforeEach, expect, test, vi } from "vitest";
import { systemClock } from "../core/index.ts";
import { createMigrations, type Database, openEmbedded } from "../storage/index.ts";
import { createNodeBeats } from "./node-beats.ts";
import type { NodeReport } from "./node-report.ts";
import { createRunningNodes, type RunningNodes } from "./running-nodes.ts";

const REPORT: NodeReport = {
  name: "web-1:3000",
  version: "0.1.0",
  libraryVersion: "9.13.3",
  settings: { plain: { REGISTRATION: "closed" }, secret: { REDIS_URL: { a: "b" } }, secretNames: ["a"] },
  clockOffsetMs: 3,
  kids: ["key-1"],
  proxy: { untrusted: 0, otherHost: 0.25, otherProtocol: 0 },
};

let database: Database;
let nodes: RunningNodes;

beforeAll(async () => {
  database = await openEmbedded(undefined);
  await createMigrations(database.db).apply();
  nodes = createRunningNodes(database);
}, 30_000);
afterAll(() => database.close());
beforeEach(() => sql`truncate nodes`.execute(database.db));

test("what a node says of itself is listed as it was said", async () => {
  await nodes.note("one", REPORT);
  await nodes.note("one", { ...REPORT, kids: ["key-1", "key-2"] });
  expect(await nodes.list()).toEqual([
    { id: "one", startedAt: expect.any(Date), lastSeenAt: expect.any(Date), ...REPORT, kids: ["key-1", "key-2"] },
  ]);
});

test.each([
  [19, ["one"]],
  [21, []],
])("a node that was last heard of %i seconds ago is listed as %j, and otherwise swept", async (seconds, listed) => {
  await nodes.note("one", REPORT);
  await sql`update nodes set last_seen_at = last_seen_at - make_interval(secs => ${seconds})`.execute(database.db);
  expect((await nodes.list()).map(({ id }) => id)).toEqual(listed);
  expect(await nodes.sweep()).toBe(1 - listed.length);
});

test("a clock is measured against the database's", async () => {
  expect(Math.abs(await nodes.measureClock(() => Date.now()))).toBeLessThan(1_000);
  expect(await nodes.measureClock(() => Date.now() + 60_000)).toBeGreaterThan(59_000);
});

test("a node appears when it starts and is gone when it stops", async () => {
  const { clockOffsetMs: _, ...report } = REPORT;
  const beats = createNodeBeats({ nodes, clock: systemClock, describe: () => report, reportFailure: () => undefined });
  beats.start();
  await expect.poll(async () => (await nodes.list()).map(({ name }) => name)).toEqual(["web-1:3000"]);
  await beats.close();
  expect(await nodes.list()).toEqual([]);
  beats.beatNow();
  expect(await nodes.list()).toEqual([]);
});

test("a node that cannot say that it runs tells of it once, and stops without waiting", async () => {
  const { clockOffsetMs: _, ...report } = REPORT;
  const reportFailure = vi.fn<(error: unknown) => void>();
  const away = (): Promise<never> => Promise.reject(new Error("away"));
  const beats = createNodeBeats({
    nodes: { note: away, forget: away, measureClock: away },
    clock: systemClock,
    describe: () => report,
    reportFailure,
  });
  beats.start();
  await expect.poll(() => reportFailure.mock.calls.length).toBe(1);
  beats.beatNow();
  await beats.close();
  expect(reportFailure).toHaveBeenCalledTimes(1);
});
