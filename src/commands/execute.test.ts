import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { sql } from "kysely";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { z } from "zod";
import { createAccounts } from "../accounts/index.ts";
import { createAudit } from "../audit/index.ts";
import { createClients } from "../clients/index.ts";
import { createAuthenticator, systemClock } from "../core/index.ts";
import type { EndResult, SessionSummary } from "../sessions/index.ts";
import { createMigrations, type Database } from "../storage/index.ts";
import { emptyAuditLog } from "../../test/support/audit-log.ts";
import { openTestEmbedded } from "../../test/support/stores.ts";
import type { Services } from "./command.ts";
import { readDeclarationFile } from "./declaration-file.ts";
import { executeCommand } from "./execute.ts";

const EXAMPLE_FILE = join(import.meta.dirname, "../../config/latchkey.example.yaml");
const ALICE = { email: "alice@example.com", name: "Alice", password: "a quite uncommon phrase" };
const shopWeb = { id: "shopWeb", name: "Shop", redirectUris: ["https://shop.example.com/callback"] };

let database: Database;
let services: Services;
const resetFactorsOf: string[] = [];
const endedSessionsOf: string[] = [];
const bugs: unknown[] = [];

beforeAll(async () => {
  database = await openTestEmbedded();
  const { db } = database;
  const audit = createAudit({ db, clock: systemClock });
  services = {
    accounts: createAccounts({
      db,
      clock: systemClock,
      audit,
      passwordHash: { memoryKib: 19_456, passes: 2 },
      authenticator: createAuthenticator(["a secret of the tests, of 32 bytes"]),
      removeFactorsSince: async () => {},
      mails: { isConfigured: false, enqueue: async () => {} },
      passwords: { charactersMin: 12, breachListUrl: undefined },
      async endSessions(accountId) {
        endedSessionsOf.push(accountId);
        return { isComplete: true };
      },
      forgetSessions: async () => true,
      clientIdsAmong: async () => new Set(),
    }),
    clients: createClients({
      db,
      clock: systemClock,
      audit,
      revokeClientTokens: async () => {},
      accountIdsAmong: async () => new Set(),
    }),
    factors: { reset: async (id) => (resetFactorsOf.push(id), true) },
    sessions: {
      list: async () => SESSIONS,
      end: async (...given) => noteEnding(given),
      endAll: async (...given) => noteEnding(given),
      endEverybodys: async (...given) => noteEnding(given),
    },
    protocol: {
      revokeToken: async (token) =>
        token === "living" ? { kind: "jwt_access_token", clientId: "shopWeb", accountId: "somebody" } : undefined,
    },
    signingKeys: {
      list: () => Promise.reject(new Error("key-commands.test.ts has these")),
      rotate: () => Promise.reject(new Error("key-commands.test.ts has these")),
      replace: () => Promise.reject(new Error("key-commands.test.ts has these")),
      retire: () => Promise.reject(new Error("key-commands.test.ts has these")),
    },
    audit,
    auditChain: {
      readSealed: () => Promise.reject(new Error("audit-list-command.test.ts has these")),
      readPosition: () => Promise.reject(new Error("audit-list-command.test.ts has these")),
      readPositionBefore: () => Promise.reject(new Error("audit-list-command.test.ts has these")),
      sealWaiting: () => Promise.reject(new Error("audit-integrity-commands.test.ts has these")),
      exportCheckpoint: () => Promise.reject(new Error("audit-integrity-commands.test.ts has these")),
      verify: () => Promise.reject(new Error("audit-integrity-commands.test.ts has these")),
      replaceKey: () => Promise.reject(new Error("audit-integrity-commands.test.ts has these")),
    },
    webhooks: {
      add: () => Promise.reject(new Error("webhook-commands.test.ts has these")),
      list: () => Promise.reject(new Error("webhook-commands.test.ts has these")),
      remove: () => Promise.reject(new Error("webhook-commands.test.ts has these")),
      rotate: () => Promise.reject(new Error("webhook-commands.test.ts has these")),
      enable: () => Promise.reject(new Error("webhook-commands.test.ts has these")),
      disable: () => Promise.reject(new Error("webhook-commands.test.ts has these")),
      test: () => Promise.reject(new Error("webhook-commands.test.ts has these")),
    },
    migrations: createMigrations(db),
    nodes: { list: async () => [] },
    issuer: "https://id.example.com",
    doctor: { examine: async () => [] },
    backUp: undefined,
  };
}, 60_000);
afterAll(() => database.close());

beforeEach(async () => {
  await sql`truncate clients, resource_servers, accounts cascade`.execute(database.db);
  await emptyAuditLog(database.db);
  bugs.length = 0;
  calls.length = 0;
  isRedisAway = false;
});

const SESSIONS: readonly SessionSummary[] = [
  {
    id: "session-1",
    createdAt: new Date(Date.UTC(2026, 0, 1, 8, 30)),
    lastUsedAt: new Date(Date.UTC(2026, 0, 2, 9, 5)),
    address: "192.0.2.7",
    device: "Firefox on Linux",
    acr: "urn:latchkey:acr:pwd",
    amr: ["pwd"],
    begunBy: "shopWeb",
    clientIds: ["notesWeb", "shopWeb"],
    clientUses: [],
    audiences: [],
  },
];

const calls: (readonly string[])[] = [];
let isRedisAway = false;

function noteEnding(call: readonly string[]): EndResult {
  calls.push(call);
  return { endedIds: ["session-1"], isComplete: !isRedisAway };
}

async function execute(command: string, input: unknown = {}) {
  const answer = await executeCommand(services, { command, input }, (error) => bugs.push(error));
  return answer.outcome === "done" ? answer : { ...answer, text: "", data: undefined };
}

test("a client is added, listed, shown, rotated and removed", async () => {
  const settings = { id: "billingApi", name: "Billing", authMethod: "client_secret_basic" };
  const added = await execute("client add", settings);
  expect(added.text).toMatch(
    /^Client billingApi was added\.\n\nIts secret, which is shown only now:\n {2}[\w-]{43}\n$/,
  );
  expect((await execute("client list")).text).toMatch(
    /ID +NAME +AUTHENTICATION +GRANT TYPES\nbillingApi +Billing +client_secret_basic +client_credentials/,
  );
  expect((await execute("client show", { id: "billingApi" })).text).toMatch(/activeSecrets +1/);
  const rotated = await execute("client rotate-secret", { id: "billingApi", keepOldForSeconds: 60 });
  expect(rotated.text).toContain("the old one works for 60 seconds more");
  expect((await execute("client remove", { id: "billingApi" })).text).toBe("Client billingApi was removed.");
  expect((await execute("client list")).text).toContain("There are no clients yet");
});

test("a secret is in the answer that makes it and in no other", async () => {
  const settings = { id: "billingApi", name: "Billing", authMethod: "client_secret_basic" };
  const added = await execute("client add", settings);
  expect(added.data).toMatchObject({ secret: expect.stringMatching(/^[\w-]{43}$/) });
  const [shown, listed] = [await execute("client show", { id: "billingApi" }), await execute("client list")];
  expect(JSON.stringify([shown, listed])).not.toMatch(/secretHashes|[\w-]{43}/);
});

test("a resource server is added, listed and removed", async () => {
  const settings = { identifier: "urn:orders", name: "Orders", scopes: [{ name: "read", description: "See orders" }] };
  expect((await execute("resource add", settings)).text).toBe("Resource server urn:orders was added.");
  expect((await execute("resource list")).text).toMatch(/urn:orders +Orders +jwt, 300 s +read/);
  expect((await execute("resource remove", { identifier: "urn:orders" })).text).toContain("was removed");
});

test("an account is created, listed, disabled by address and enabled by id", async () => {
  const { data } = await execute("user add", ALICE);
  const { id } = data as { id: string };
  expect(JSON.stringify(data)).not.toContain("argon2");
  expect((await execute("user list", { limit: 10 })).text).toMatch(
    new RegExp(`${id} +alice@example.com +Alice .* active`),
  );
  expect((await execute("user disable", { idOrEmail: "ALICE@example.com" })).text).toContain("is disabled");
  expect(endedSessionsOf).toContain(id);
  expect((await execute("user list", { limit: 10 })).text).toContain("disabled");
  expect((await execute("user enable", { idOrEmail: id })).data).toMatchObject({ id, disabledAt: undefined });
  expect(await execute("user disable", { idOrEmail: "nobody" })).toMatchObject({ code: "ACCOUNT_NOT_FOUND" });
});

test("somebody is invited; without mail the operator gets the link to pass on, and nobody with an account is", async () => {
  const email = "guest@example.com";
  const { data, text } = await execute("user invite", { email });
  const link = /^https:\/\/id\.example\.com\/create-account\/finish\?token=[\w-]{22}\.[\w-]{43}$/;
  expect(data).toMatchObject({ email, link: expect.stringMatching(link) });
  expect(text).toMatch(/^No mail is configured\. Give guest@example\.com this link, which works once, until \d{4}-/);
  expect(await execute("user invite", { email: "nobody" })).toMatchObject({ code: "INPUT_INVALID" });
  await execute("user add", ALICE);
  expect(await execute("user invite", { email: ALICE.email })).toMatchObject({ code: "ACCOUNT_EMAIL_TAKEN" });
});

test("failed attempts at an account are forgotten, by its address or id", async () => {
  const { id } = (await execute("user add", ALICE)).data as { id: string };
  expect((await execute("user unlock", { idOrEmail: id })).text).toContain("No failed attempts counted");
  await sql`insert into consecutive_failures values ('password', ${id}, '', 100, 3, now(), 'infinity')`.execute(
    database.db,
  );
  const answer = await execute("user unlock", { idOrEmail: "ALICE@example.com" });
  expect(answer.text).toContain("its password and codes work again");
  expect(answer.data).toEqual({ id, email: "alice@example.com", hadDelays: true });
  expect(await execute("user unlock", { idOrEmail: "nobody" })).toMatchObject({ code: "ACCOUNT_NOT_FOUND" });
});

test("factors are reset, and all sessions of the person end", async () => {
  const { id } = (await execute("user add", ALICE)).data as { id: string };
  const answer = await execute("user reset-factors", { idOrEmail: "alice@example.com" });
  expect(answer.text).toContain("alice@example.com has no second factor, passkey or recovery code any more");
  expect(resetFactorsOf).toEqual([id]);
  expect(calls).toEqual([[id, "factors_reset"]]);
  expect(await execute("user reset-factors", { idOrEmail: "nobody" })).toMatchObject({ code: "ACCOUNT_NOT_FOUND" });
});

test("a full page of accounts says how to get the next one", async () => {
  await execute("user add", ALICE);
  const page = await execute("user list", { limit: 1 });
  expect(page.text).toContain("--after ");
  expect((await execute("user list", { limit: 2 })).text).not.toContain("--after ");
});

test("a file is applied once and shows what differs", async () => {
  const apply = (document: unknown, mode = "apply") => execute("apply", { document, secretFiles: {}, mode });
  const tried = await apply({ clients: [shopWeb] }, "dryRun");
  expect(tried.text).toBe("+ client shopWeb\n\n1 change to apply; nothing was changed (--dry-run).\n");
  expect((await apply({ clients: [shopWeb] })).text).toBe("+ client shopWeb\n\n1 change applied.\n");
  expect((await apply({ clients: [shopWeb] })).text).toBe("There is nothing to change.");
  const changed = await apply({ clients: [{ ...shopWeb, name: "Shop 2", homeUri: "https://shop.example.com" }] });
  expect(changed.text).toBe(
    "~ client shopWeb\n    homeUri: (none) -> https://shop.example.com\n    name: Shop -> Shop 2\n\n1 change applied.\n",
  );
  expect((await apply({ clients: [{ id: "shopWeb", remove: true }] })).text).toBe(
    "- client shopWeb\n\n1 change applied.\n",
  );
});

test("the example file applies cleanly, and a second time there is nothing to change", async () => {
  const invocation = await readDeclarationFile(EXAMPLE_FILE, {
    readFile: (path) => readFile(path, "utf8"),
    mode: "apply",
  });
  const first = await executeCommand(services, invocation, (error) => bugs.push(error));
  expect(first).toMatchObject({ outcome: "done", text: expect.stringMatching(/\+ client shopWeb[^]*changes applied/) });
  const second = await executeCommand(services, invocation, (error) => bugs.push(error));
  expect(second).toMatchObject({ outcome: "done", text: "There is nothing to change." });
});

test("faults of settings are answered all at once", async () => {
  const answer = await execute("client add", { ...shopWeb, redirectUris: ["javascript:alert(1)"], colour: "red" });
  expect(answer).toMatchObject({
    outcome: "failed",
    code: "CLIENT_INVALID",
    faults: [{ key: "redirectUris[0]" }, { key: "colour" }],
  });
});

test("what is refused says why to the operator", async () => {
  expect(await execute("user add", { ...ALICE, password: "short" })).toMatchObject({
    code: "PASSWORD_UNACCEPTABLE",
    sentence: "This password cannot be used. (too_short)",
  });
});

test("input that a command does not take is refused, and so is a command that does not exist", async () => {
  expect(await execute("client show", { name: "shopWeb" })).toMatchObject({ code: "INPUT_INVALID" });
  expect(await execute("client eat")).toMatchObject({ code: "COMMAND_UNKNOWN" });
  expect(bugs).toEqual([]);
});

test("a bug is reported and not shown", async () => {
  const broken: Services = {
    ...services,
    clients: { ...services.clients, listClients: () => Promise.reject(new Error("x")) },
  };
  const answer = await executeCommand(broken, { command: "client list", input: {} }, (error) => bugs.push(error));
  expect(answer).toMatchObject({ code: "SERVER_ERROR", sentence: "Something went wrong on our side." });
  expect(bugs).toHaveLength(1);
});

test("while migrations are pending every command but migrate says so", async () => {
  const pending: Services = {
    ...services,
    migrations: { ...services.migrations, listPending: async () => ["0002-a"], apply: async () => ["0002-a"] },
  };
  const run = (command: string) => executeCommand(pending, { command, input: {} }, (error) => bugs.push(error));
  expect(await run("client list")).toMatchObject({
    code: "MIGRATIONS_PENDING",
    sentence: 'The database has yet to get 1 migration. Run "latchkey migrate" first.',
  });
  expect(await run("migrate")).toMatchObject({ data: { applied: ["0002-a"] }, text: "Applied:\n  0002-a" });
  expect((await execute("migrate")).text).toBe("The database is up to date.");
});

describe("sessions", () => {
  const addAlice = async (): Promise<string> => {
    const person = { email: "alice@example.com", name: "Alice", password: "velvet-otter-piano-42" };
    const { data } = await execute("user add", person);
    return z.object({ id: z.string() }).parse(data).id;
  };

  test("are listed with where they come from and when they were used last", async () => {
    await addAlice();
    const { text } = await execute("session list", { idOrEmail: "alice@example.com" });
    expect(text).toContain("SESSION    BEGAN              LAST USED          DEVICE            ADDRESS    APPS");
    expect(text).toContain(
      "session-1  2026-01-01 08:30Z  2026-01-02 09:05Z  Firefox on Linux  192.0.2.7  notesWeb, shopWeb",
    );
  });

  test("are ended by name or all at once, and only those of the account", async () => {
    const id = await addAlice();
    expect((await execute("session end", { idOrEmail: id, sessionId: "session-1" })).text).toBe("1 session has ended.");
    await execute("session end", { idOrEmail: "alice@example.com" });
    expect(calls).toEqual([
      [id, "session-1", "ended_by_operator"],
      [id, "ended_by_operator"],
    ]);
    expect(await execute("session end", { idOrEmail: "nobody" })).toMatchObject({ code: "ACCOUNT_NOT_FOUND" });
  });

  test("end also while redis is away, which the answer says", async () => {
    const id = await addAlice();
    isRedisAway = true;
    const { text, data } = await execute("session end", { idOrEmail: id });
    expect(text).toMatch(/^1 session has ended\. Redis does not answer/);
    expect(data).toMatchObject({ isComplete: false });
  });
});

describe("revoke", () => {
  test("takes everything from a person, from an app, or from everybody", async () => {
    await execute("client add", { id: "billingApi", name: "Billing", authMethod: "client_secret_basic" });
    expect((await execute("revoke", { of: "client", id: "billingApi" })).text).toContain("billingApi");
    expect(await execute("revoke", { of: "client", id: "nobody" })).toMatchObject({ code: "CLIENT_NOT_FOUND" });
    expect(await execute("revoke", { of: "account", idOrEmail: "nobody" })).toMatchObject({
      code: "ACCOUNT_NOT_FOUND",
    });
    expect((await execute("revoke", { of: "everybody" })).text).toMatch(/^Every token is revoked/);
    expect(calls).toEqual([["revoked_by_operator"]]);
  });

  test("takes one token, and says when it is none", async () => {
    expect((await execute("revoke", { of: "token", token: "living" })).text).toBe("The token is revoked.");
    expect(await execute("revoke", { of: "token", token: "dead" })).toMatchObject({ code: "TOKEN_UNKNOWN" });
  });
});
