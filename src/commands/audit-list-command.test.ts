import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createAudit } from "../audit/index.ts";
import { AppError } from "../core/index.ts";
import type { Database } from "../storage/index.ts";
import { openTestChain } from "../../test/support/audit-chain.ts";
import { openTestEmbedded } from "../../test/support/stores.ts";
import type { Services } from "./command.ts";
import { executeCommand } from "./execute.ts";

const START_MS = Date.UTC(2026, 0, 2, 3, 4, 5);
const clock = { now: START_MS, nowMs: () => clock.now };
const HOUR_MS = 60 * 60 * 1_000;

let database: Database;
let services: Services;

beforeAll(async () => {
  database = await openTestEmbedded();
  const { db } = database;
  const audit = createAudit({ db, clock });
  const auditChain = openTestChain(db, clock);
  services = {
    audit,
    auditChain,
    accounts: { findByEmail: async (email: string) => (email === "alice@example.com" ? { id: "alice-1" } : undefined) },
    migrations: { listPending: async () => [] },
  } as unknown as Services;
  await audit.append(db, { type: "session_started", accountId: "alice-1", clientId: "shopWeb", address: "192.0.2.7" });
  clock.now += HOUR_MS;
  await audit.append(db, { type: "sign_in_failed", accountId: "alice-1", data: { reason: "wrong_password" } });
  await audit.append(db, { type: "sign_in_failed", accountId: "bob-1", data: { reason: "wrong_password" } });
  clock.now += HOUR_MS;
  await audit.append(db, {
    type: "client_changed",
    clientId: "shopWeb",
    data: { keys: ["name", "\u001b[2J\u009b\u202e"] },
  });
  await auditChain.sealWaiting();
}, 60_000);
afterAll(() => database.close());

async function list(input: object) {
  const answer = await executeCommand(services, { command: "audit list", input: { limit: 100, ...input } }, (error) => {
    throw error;
  });
  if (answer.outcome !== "done") throw new AppError("INPUT_INVALID", { detail: answer.sentence });
  const data = answer.data as { readonly events: readonly { readonly type: string; readonly accountId?: string }[] };
  return { ...answer, data, seen: data.events.map(({ type, accountId = "-" }) => `${type} ${accountId}`) };
}

/** Until what the followers are shown, which tests in any order may have written. */
const until = new Date(START_MS + 3 * HOUR_MS).toISOString();
const ALL = ["client_changed -", "sign_in_failed bob-1", "sign_in_failed alice-1", "session_started alice-1"];
const at = (hours: number): string => new Date(START_MS + hours * HOUR_MS).toISOString();

describe("audit list", () => {
  test.each([
    ["everything, the newest first", {}, ALL],
    ["an account by its id", { account: "bob-1" }, [ALL[1]]],
    ["an account by its address", { account: "alice@example.com" }, ALL.slice(2)],
    ["some kinds", { kinds: ["client_changed", "session_started"] }, [ALL[0], ALL[3]]],
    ["a client", { client: "shopWeb" }, [ALL[0], ALL[3]]],
    ["from a time on, and before another", { since: at(1), until: at(2) }, ALL.slice(1, 3)],
    ["all of these together", { account: "alice-1", kinds: ["sign_in_failed"], since: at(1) }, [ALL[2]]],
    ["nothing", { account: "nobody" }, []],
  ])("chooses %s", async (_, input, expected) => {
    expect((await list({ until, ...input })).seen).toEqual(expected);
  });

  test("says how to get the next page, which begins behind it", async () => {
    const first = await list({ until, limit: 3 });
    expect(first.seen).toEqual(ALL.slice(0, 3));
    const { next } = first.data as unknown as { readonly next: string };
    expect(first.text).toContain(`There may be more: --before ${next}`);
    expect((await list({ until, limit: 3, before: next })).seen).toEqual(ALL.slice(3));
    expect((await list({})).text).not.toContain("--before");
  });

  test("answers in the shape that pipelines get", async () => {
    const { data } = await list({ kinds: ["session_started"] });
    expect(data.events).toEqual([
      {
        schema: "latchkey.audit.v1",
        id: expect.stringMatching(/^\d+$/),
        type: "session_started",
        category: "session",
        occurredAt: at(0),
        actor: "person",
        outcome: "succeeded",
        accountId: "alice-1",
        clientId: "shopWeb",
        address: "192.0.2.7",
        data: {},
      },
    ]);
  });

  test("shows nothing that acts on the terminal", async () => {
    const { text } = await list({ kinds: ["client_changed"] });
    expect(text).toContain("keys=name,\\u001b[2J\\u009b\\u202e");
    expect(text).toMatch(/^TIME +EVENT +OUTCOME +BY +ACCOUNT +CLIENT +ADDRESS +DATA\n2026-01-02 05:04:05Z /);
    // oxlint-disable-next-line no-control-regex
    expect(text).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/);
  });

  test.each([
    [{ kinds: ["sesion_started"] }, /no event "sesion_started"/],
    [{ account: "mallory@example.com" }, /no such account/],
    [{ limit: 1_001 }, /limit is not between 1 and 1000/],
    [{ since: "yesterday" }, /expects other arguments/],
  ])("refuses %j", async (input, why) => {
    await expect(list(input)).rejects.toMatchObject({ detail: expect.stringMatching(why) });
  });
});

describe("following", () => {
  const follow = async (input: object, after?: string) => {
    const { limit: _, ...wanted } = { limit: 0, ...input };
    const answer = await executeCommand(
      services,
      { command: "audit list", input: { ...wanted, follow: { after } } },
      (error) => {
        throw error;
      },
    );
    if (answer.outcome !== "done") throw new Error(answer.sentence);
    const page = answer.data as { events: { type: string; position: string }[]; after: string; isMore: boolean };
    return { ...page, types: page.events.map(({ type }) => type) };
  };

  test("begins with what is new, and goes on behind what was read, in the order of the chain", async () => {
    const begun = await follow({});
    expect(begun).toMatchObject({ types: [], isMore: false });
    const { audit, auditChain } = services;
    const { db } = database;
    clock.now = START_MS + 4 * HOUR_MS;
    const writer = createAudit({ db, clock });
    await writer.append(db, { type: "session_ended", accountId: "alice-1", data: { reason: "signed_out" } });
    await writer.append(db, { type: "consent_given", accountId: "bob-1", clientId: "shopWeb", data: { scopes: [] } });
    expect((await follow({}, begun.after)).types).toEqual([]);
    await auditChain.sealWaiting();
    const page = await follow({}, begun.after);
    expect(page.types).toEqual(["session_ended", "consent_given"]);
    expect(page.after).toBe(page.events[1]?.position);
    const ofBob = await follow({ account: "bob-1" }, begun.after);
    expect(ofBob).toMatchObject({ types: ["consent_given"], after: page.after });
    expect((await follow({}, page.after)).types).toEqual([]);
    expect(await audit.list({ limit: 1 })).toHaveLength(1);
  });

  test("from 0 on has all that is kept, and from a time on what happened since", async () => {
    expect((await follow({ kinds: ["session_started", "client_changed"] }, "0")).types).toEqual([
      "session_started",
      "client_changed",
    ]);
    expect((await follow({ since: at(-1), client: "shopWeb", kinds: ["client_changed"] })).types).toEqual([
      "client_changed",
    ]);
  });
});
