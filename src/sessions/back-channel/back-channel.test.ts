import { sql } from "kysely";
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test, vi } from "vitest";
import { type Audit, createAudit } from "../../audit/index.ts";
import type { OutboundPost, OutboundResult } from "../../outbound/index.ts";
import type { Database } from "../../storage/index.ts";
import { openTestEmbedded } from "../../../test/support/stores.ts";
import { createLogoutQueue, createLogoutWorker, type LogoutQueue, type PreparedLogout } from "./index.ts";
import { LEASE_MS } from "./logout-worker.ts";
import { PLACES_MAX, PLACES_PER_HOST } from "./places.ts";
import { RETRY_WINDOW_SECONDS, TRIES_MAX } from "./retry-schedule.ts";

/** What becomes so in its own time, on a busy machine too. */
function eventually<Value>(look: () => Value) {
  return expect.poll(look, { timeout: 10_000, interval: 10 });
}

const clock = { now: Date.UTC(2026, 0, 1), nowMs: () => clock.now };
const passSeconds = (seconds: number): void => void (clock.now += seconds * 1000);
const recipients = {
  listLogoutRecipients: async (_tx: unknown, clientIds: readonly string[]) =>
    clientIds
      .filter((clientId) => clientId !== "shopWeb")
      .map((clientId) => ({ clientId, logoutUri: uriOf(clientId) })),
};
const uriOf = (clientId: string): string => `https://${clientId.toLowerCase()}.example.com/out`;
const OK: OutboundResult = { type: "answered", status: 200 };
const AWAY: OutboundResult = { type: "answered", status: 503 };

let database: Database;
let audit: Audit;
let queue: LogoutQueue;

beforeAll(async () => {
  database = await openTestEmbedded();
  audit = createAudit({ db: database.db, clock });
  queue = createLogoutQueue({ db: database.db, clock, audit, recipients });
}, 30_000);
afterAll(() => database.close());
beforeEach(() => sql`truncate back_channel_logouts`.execute(database.db));

let sessions = 0;
async function endSession(clientIds: readonly string[]): Promise<string> {
  const sessionId = `session-${(sessions += 1)}`;
  await database.db
    .transaction()
    .execute((tx) => queue.enqueueLogouts(tx, { accountId: "alice", sessionId, clientIds }));
  return sessionId;
}

async function countRows(): Promise<number> {
  const { rows } = await sql<{ count: number }>`select count(*)::int as count from back_channel_logouts`.execute(
    database.db,
  );
  return rows[0]?.count ?? 0;
}

type Receive = (post: OutboundPost) => OutboundResult | Promise<OutboundResult>;

const untilStopped = (signal: AbortSignal): Promise<OutboundResult> =>
  new Promise((stop) =>
    signal.addEventListener("abort", () => stop({ type: "failed", reason: "stopped" }), { once: true }),
  );

/** A node's worker, which is never started: it looks when it is told to. */
function createNode(receive: Receive, prepare?: () => Promise<PreparedLogout | undefined>) {
  const report = vi.fn<(error: unknown) => void>();
  const finish = new AbortController();
  const postForm = vi.fn(async (post: OutboundPost) => {
    const signal = AbortSignal.any([finish.signal, ...(post.signal === undefined ? [] : [post.signal])]);
    return await Promise.race([receive(post), untilStopped(signal)]);
  });
  const worker = createLogoutWorker({
    db: database.db,
    clock,
    audit,
    outbound: { postForm },
    prepareLogout:
      prepare ??
      (async ({ clientId, sessionId, accountId }) => ({
        uri: uriOf(clientId),
        logoutToken: `${clientId} ${sessionId} ${accountId}`,
      })),
    report,
  });
  onTestFinished(() => {
    finish.abort();
    return worker.close();
  });
  const tokens = (): readonly string[] => postForm.mock.calls.map(([post]) => post.form["logout_token"] ?? "");
  return { worker, postForm, report, tokens };
}

type Node = ReturnType<typeof createNode>;

/** Looks, and waits until so many tries were made in all and what came of them is written down. */
async function lookUntil(node: Node, tries: number): Promise<void> {
  node.worker.wake();
  await eventually(() => node.postForm.mock.calls.length).toBe(tries);
  await settled();
}

/** Everything that is under way was written down: no row is leased any more. */
async function settled(): Promise<void> {
  const leased = sql<{ count: number }>`
    select count(*)::int as count from back_channel_logouts
     where tries > 0 and due_at = ${new Date(clock.now + LEASE_MS)}::timestamptz`;
  await eventually(async () => (await leased.execute(database.db)).rows[0]?.count).toBe(0);
}

const neverAnswers = (): Promise<OutboundResult> => new Promise(() => undefined);

describe("the queue", () => {
  test("has a row for each client that wants to be told, and none for the others", async () => {
    const sessionId = await endSession(["notesWeb", "shopWeb", "mailWeb"]);
    const node = createNode(() => OK);
    await lookUntil(node, 2);
    expect(node.tokens().toSorted()).toEqual([`mailWeb ${sessionId} alice`, `notesWeb ${sessionId} alice`]);
    expect(await countRows()).toBe(0);
  });

  test("forgets with the transaction that was rolled back", async () => {
    const failed = database.db.transaction().execute(async (tx) => {
      await queue.enqueueLogouts(tx, { accountId: "alice", sessionId: "rolled-back", clientIds: ["notesWeb"] });
      throw new Error("the session did not end");
    });
    await expect(failed).rejects.toThrow("did not end");
    expect(await countRows()).toBe(0);
  });

  test("has one row for a session that is ended twice", async () => {
    const ended = { accountId: "alice", sessionId: "twice", clientIds: ["notesWeb"] };
    await queue.enqueueLogouts(database.db, ended);
    await queue.enqueueLogouts(database.db, ended);
    expect(await countRows()).toBe(1);
  });

  test("gives up after a day what no node was there to deliver, with a trace", async () => {
    const sessionId = await endSession(["notesWeb"]);
    passSeconds(RETRY_WINDOW_SECONDS - 1);
    expect(await queue.sweep()).toBe(0);
    passSeconds(1);
    expect(await queue.sweep()).toBe(1);
    expect(await countRows()).toBe(0);
    const [event] = await audit.list({ type: "back_channel_logout_given_up", limit: 1 });
    expect(event).toMatchObject({ sessionId, clientId: "notesWeb", data: { reason: "expired", tries: 0 } });
  });
});

describe("a worker", () => {
  test("tries again after 5 s, 30 s, 2 min, 10 min, 1 h …, signs anew each time, and gives up with a trace", async () => {
    const sessionId = await endSession(["notesWeb"]);
    const prepare = vi.fn(async () => ({ uri: uriOf("notesWeb"), logoutToken: `signed ${prepare.mock.calls.length}` }));
    const node = createNode(() => AWAY, prepare);
    await lookUntil(node, 1);
    const pauses = [5, 30, 120, 600, 3_600, 7_200, 14_400, 28_800, 28_800];
    for (const [at, pause] of pauses.entries()) {
      passSeconds(pause - 1);
      node.worker.wake();
      await settled();
      expect(node.postForm).toHaveBeenCalledTimes(at + 1);
      passSeconds(1);
      await lookUntil(node, at + 2);
    }
    await eventually(countRows).toBe(0);
    expect(node.tokens()).toEqual(Array.from({ length: TRIES_MAX }, (_, at) => `signed ${at + 1}`));
    const [event] = await audit.list({ type: "back_channel_logout_given_up", limit: 1 });
    expect(event).toMatchObject({
      accountId: "alice",
      clientId: "notesWeb",
      sessionId,
      data: { host: "notesweb.example.com", tries: TRIES_MAX, reason: "status_503" },
    });
  });

  test("does not ask again a client that refused, and leaves a trace", async () => {
    const sessionId = await endSession(["notesWeb"]);
    await lookUntil(
      createNode(() => ({ type: "answered", status: 400 })),
      1,
    );
    await eventually(countRows).toBe(0);
    const [event] = await audit.list({ type: "back_channel_logout_rejected", limit: 1 });
    expect(event).toMatchObject({ sessionId, data: { reason: "status_400", tries: 1 } });
  });

  test("drops what a client no longer wants to hear, without a request", async () => {
    await endSession(["notesWeb"]);
    const node = createNode(
      () => OK,
      async () => undefined,
    );
    node.worker.wake();
    await eventually(countRows).toBe(0);
    expect(node.postForm).not.toHaveBeenCalled();
  });

  test("keeps for another try what it could not sign, and says so", async () => {
    await endSession(["notesWeb"]);
    const node = createNode(
      () => OK,
      () => Promise.reject(new Error("the keys are away")),
    );
    node.worker.wake();
    await eventually(() => node.report.mock.calls.length).toBe(1);
    await settled();
    passSeconds(5);
    await lookUntil(
      createNode(() => OK),
      1,
    );
  });

  test("tells everybody else at once while one client hangs, however much waits for that one", async () => {
    for (let count = 0; count < 2 * PLACES_PER_HOST; count += 1) await endSession(["mailWeb"]);
    await endSession(["notesWeb"]);
    const node = createNode(({ uri }) => (uri === uriOf("mailWeb") ? neverAnswers() : OK));
    node.worker.wake();
    await eventually(() => node.tokens().filter((token) => token.startsWith("notesWeb")).length).toBe(1);
    expect(node.tokens().filter((token) => token.startsWith("mailWeb"))).toHaveLength(PLACES_PER_HOST);
  });

  test("has no more under way than it has places, and goes on when one is free", async () => {
    const hosts = Array.from({ length: PLACES_MAX / PLACES_PER_HOST + 1 }, (_, at) => `app${at}`);
    for (let count = 0; count < PLACES_PER_HOST; count += 1) await endSession(hosts);
    const answers: ((result: OutboundResult) => void)[] = [];
    const node = createNode(() => new Promise((answer) => answers.push(answer)));
    node.worker.wake();
    await eventually(() => answers.length).toBe(PLACES_MAX);
    node.worker.wake();
    answers[0]?.(OK);
    await eventually(() => answers.length).toBe(PLACES_MAX + 1);
    await eventually(countRows).toBe(hosts.length * PLACES_PER_HOST - 1);
  });

  test("gives a client that failed one try at a time until it answers", async () => {
    for (let count = 0; count < 3 * PLACES_PER_HOST; count += 1) await endSession(["mailWeb"]);
    const answers: ((result: OutboundResult) => void)[] = [];
    const node = createNode(() => new Promise((answer) => answers.push(answer)));
    node.worker.wake();
    await eventually(() => answers.length).toBe(PLACES_PER_HOST);
    for (const answer of answers) answer(AWAY);
    await eventually(() => answers.length).toBe(PLACES_PER_HOST + 1);
    node.worker.wake();
    answers.at(-1)?.(OK);
    await eventually(() => answers.length).toBe(2 * PLACES_PER_HOST + 1);
  });

  test("takes over from a node that died when its lease is over, and not before", async () => {
    await endSession(["notesWeb"]);
    const dead = createNode(neverAnswers);
    dead.worker.wake();
    await eventually(() => dead.postForm.mock.calls.length).toBe(1);
    const heir = createNode(() => OK);
    passSeconds(LEASE_MS / 1000 - 1);
    heir.worker.wake();
    await heir.worker.close();
    expect(heir.postForm).not.toHaveBeenCalled();
    passSeconds(1);
    await lookUntil(
      createNode(() => OK),
      1,
    );
    expect(await countRows()).toBe(0);
  });

  test("does not take back a row that it lost by what it finds out too late", async () => {
    await endSession(["notesWeb"]);
    let answerLate = (_result: OutboundResult): void => undefined;
    const late = createNode(() => new Promise((answer) => (answerLate = answer)));
    late.worker.wake();
    await eventually(() => late.postForm.mock.calls.length).toBe(1);
    passSeconds(LEASE_MS / 1000);
    const heir = createNode(neverAnswers);
    heir.worker.wake();
    await eventually(() => heir.postForm.mock.calls.length).toBe(1);
    answerLate(OK);
    await late.worker.close();
    expect(await countRows()).toBe(1);
  });

  test("says once that the store is away, and goes on when it is back", async () => {
    await endSession(["notesWeb"]);
    const node = createNode(() => OK);
    const away = vi.spyOn(database.db, "getExecutor").mockImplementation(() => {
      throw new Error("the store is away");
    });
    node.worker.wake();
    await eventually(() => node.report.mock.calls.length).toBe(1);
    node.worker.wake();
    await eventually(() => away.mock.calls.length).toBeGreaterThan(1);
    away.mockRestore();
    await lookUntil(node, 1);
    expect(node.report).toHaveBeenCalledTimes(1);
  });

  test("that is closed stops what hangs, and leaves it to another try", async () => {
    await endSession(["notesWeb"]);
    const node = createNode(neverAnswers);
    node.worker.wake();
    await eventually(() => node.postForm.mock.calls.length).toBe(1);
    await node.worker.close();
    passSeconds(5);
    await lookUntil(
      createNode(() => OK),
      1,
    );
  });
});
