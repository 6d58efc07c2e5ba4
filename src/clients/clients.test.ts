import { sql } from "kysely";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { createAudit } from "../audit/index.ts";
import { isAppError, sha256 } from "../core/index.ts";
import type { Database, Db } from "../storage/index.ts";
import { emptyAuditLog } from "../../test/support/audit-log.ts";
import { openTestEmbedded } from "../../test/support/stores.ts";
import { type Clients, createClients } from "./clients.ts";

const shopWeb = { id: "shopWeb", name: "Shop", redirectUris: ["https://shop.example.com/callback"] };
const billingApi = { id: "billingApi", name: "Billing", authMethod: "client_secret_basic" } as const;
const orders = {
  identifier: "https://api.example.com",
  name: "Orders",
  scopes: [{ name: "read", description: "See" }],
};
const ordersAccess = { identifier: orders.identifier, scopes: ["read"] };

let database: Database;
let nowMs: number;
/** Two nodes on one database: each has a cache of its own. */
let clients: Clients;
let otherNode: Clients;
let revokedIds: string[];

beforeAll(async () => {
  database = await openTestEmbedded();
}, 30_000);
afterAll(() => database.close());

/** Of an account that another system had named so. */
const IMPORTED_ID = "1f7c8ec7-c33c-4c00-9bba-fe82deadbeef";

beforeEach(async () => {
  await sql`truncate clients, resource_servers cascade`.execute(database.db);
  await emptyAuditLog(database.db);
  nowMs = Date.UTC(2026, 0, 1);
  const clock = { nowMs: () => nowMs };
  revokedIds = [];
  const deps = {
    db: database.db,
    clock,
    audit: createAudit({ db: database.db, clock }),
    revokeClientTokens: async (_tx: Db, ids: readonly string[]) => void revokedIds.push(...ids),
    accountIdsAmong: async (_tx: Db, ids: readonly string[]) => new Set(ids.filter((id) => id === IMPORTED_ID)),
  };
  clients = createClients(deps);
  otherNode = createClients(deps);
});

async function listAuditTypes(): Promise<readonly string[]> {
  const { rows } = await sql<{ type: string }>`select type from audit_events order by id`.execute(database.db);
  return rows.map(({ type }) => type);
}

describe("clients", () => {
  test("none has the id of an account, by a command or by a file [RFC 9700 4.15]", async () => {
    const taken = { ...shopWeb, id: IMPORTED_ID };
    const faults = [{ key: `clients.${IMPORTED_ID}.id`, problem: "is the id of an account; choose another" }];
    await expect(clients.addClient(taken)).rejects.toMatchObject({ code: "CLIENT_INVALID", faults });
    const applied = clients.applyDocument({ clients: [taken] }, { secretFiles: new Map(), mode: "apply" });
    await expect(applied).rejects.toMatchObject({ code: "DECLARATION_INVALID", faults });
    expect(await clients.listClients()).toEqual([]);
  });

  test("a public client is found as it was added, and has no secret", async () => {
    const added = await clients.addClient(shopWeb);
    expect(added).toMatchObject({ client: { id: "shopWeb", authMethod: "none", secretHashes: [] }, secret: undefined });
    expect(await clients.findClient("shopWeb")).toEqual(added.client);
    expect(await clients.listClients()).toEqual([added.client]);
  });

  test("a secret has 256 random bits and is stored as SHA-256 only", async () => {
    const { client, secret = "" } = await clients.addClient(billingApi);
    expect(Buffer.from(secret, "base64url")).toHaveLength(32);
    expect(client.secretHashes).toEqual([sha256(secret)]);
    const { rows } = await sql`select clients.*, client_secrets.* from clients, client_secrets`.execute(database.db);
    expect(JSON.stringify(rows)).not.toContain(secret);
    expect(JSON.stringify(rows)).not.toContain(Buffer.from(secret).toString("hex"));
  });

  test("of 10 parallel additions of one id one wins", async () => {
    const attempts = Array.from({ length: 10 }, () => clients.addClient(shopWeb));
    const results = await Promise.allSettled(attempts);
    expect(results.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
    const codes = results.flatMap((result) => (result.status === "rejected" ? [result.reason] : []));
    expect(codes.every((error) => isAppError(error, "CLIENT_EXISTS"))).toBe(true);
  });

  test("an id that no client can have is unknown without asking the database", async () => {
    await clients.addClient(shopWeb);
    expect(await clients.findClient("shopWeb'--")).toBeUndefined();
    expect(await clients.findClient("nobody")).toBeUndefined();
    await expect(clients.getClient("nobody")).rejects.toMatchObject({ code: "CLIENT_NOT_FOUND" });
  });

  test("a change is seen at once on its node and within a second on another", async () => {
    await clients.addClient(shopWeb);
    expect((await otherNode.getClient("shopWeb")).name).toBe("Shop");
    await clients.changeClient("shopWeb", { ...shopWeb, name: "Shop 2" });
    expect((await clients.getClient("shopWeb")).name).toBe("Shop 2");
    expect((await otherNode.getClient("shopWeb")).name).toBe("Shop");
    nowMs += 1_000;
    expect((await otherNode.getClient("shopWeb")).name).toBe("Shop 2");
  });

  test("a removed client is gone with its secrets", async () => {
    await clients.addClient(billingApi);
    await clients.removeClient("billingApi");
    expect(await clients.findClient("billingApi")).toBeUndefined();
    await expect(clients.removeClient("billingApi")).rejects.toMatchObject({ code: "CLIENT_NOT_FOUND" });
    const { secret = "", client } = await clients.addClient(billingApi);
    expect(client.secretHashes).toEqual([sha256(secret)]);
  });

  test("a rotated secret replaces the old one, which lives on for as long as it was kept", async () => {
    const { secret: first = "" } = await clients.addClient(billingApi);
    const { secret: second } = await clients.rotateSecret("billingApi", { keepOldForSeconds: 60 });
    nowMs += 59_999;
    expect((await clients.getClient("billingApi")).secretHashes).toEqual([sha256(second), sha256(first)]);
    nowMs += 1_000;
    expect((await clients.getClient("billingApi")).secretHashes).toEqual([sha256(second)]);
    const { secret: third } = await clients.rotateSecret("billingApi", { keepOldForSeconds: 0 });
    expect((await clients.getClient("billingApi")).secretHashes).toEqual([sha256(third)]);
  });

  test("a secret that is rotated because it got out ends at once, and with it all that was granted so far", async () => {
    await clients.addClient(billingApi);
    await clients.rotateSecret("billingApi", { keepOldForSeconds: 3_600 });
    expect(revokedIds).toEqual([]);
    expect((await clients.getClient("billingApi")).grantsSince).toBeUndefined();
    const { secret } = await clients.rotateSecret("billingApi", "revoke");
    const { secretHashes, grantsSince } = await clients.getClient("billingApi");
    expect(secretHashes).toEqual([sha256(secret)]);
    expect(grantsSince).toEqual(new Date(nowMs));
    expect(revokedIds).toEqual(["billingApi"]);
    expect(await listAuditTypes()).toContain("client_grants_revoked");
  });

  test("what was granted to a client is revoked without touching its secret", async () => {
    const { secret = "" } = await clients.addClient(billingApi);
    await clients.revokeGrants("billingApi");
    expect(revokedIds).toEqual(["billingApi"]);
    expect((await clients.getClient("billingApi")).secretHashes).toEqual([sha256(secret)]);
    await expect(clients.revokeGrants("nobody")).rejects.toMatchObject({ code: "CLIENT_NOT_FOUND" });
  });

  test("the tokens of a client that is removed are revoked with it, and not by trying it out", async () => {
    await clients.addClient(billingApi);
    const document = { clients: [{ id: "billingApi", remove: true }] };
    await clients.applyDocument(document, { secretFiles: new Map(), mode: "dryRun" });
    expect(await clients.findClient("billingApi")).toBeDefined();
    revokedIds.length = 0;
    await clients.applyDocument(document, { secretFiles: new Map(), mode: "apply" });
    expect(revokedIds).toEqual(["billingApi"]);
  });

  test("rotating again does not lengthen the life of a secret that is ending", async () => {
    const { secret: first = "" } = await clients.addClient(billingApi);
    await clients.rotateSecret("billingApi", { keepOldForSeconds: 60 });
    await clients.rotateSecret("billingApi", { keepOldForSeconds: 3_600 });
    nowMs += 61_000;
    const { secretHashes } = await clients.getClient("billingApi");
    expect(secretHashes).toHaveLength(2);
    expect(secretHashes).not.toContainEqual(sha256(first));
  });

  test.each([-1, 0.5, 7_776_001])("old secrets are not kept for %d seconds", async (keepOldForSeconds) => {
    await clients.addClient(billingApi);
    await expect(clients.rotateSecret("billingApi", { keepOldForSeconds })).rejects.toMatchObject({
      code: "CLIENT_INVALID",
    });
  });

  test("a public client has no secret to rotate", async () => {
    await clients.addClient(shopWeb);
    await expect(clients.rotateSecret("shopWeb", { keepOldForSeconds: 0 })).rejects.toMatchObject({
      code: "CLIENT_HAS_NO_SECRET",
    });
  });

  test("a client that turns public loses its secrets, and gets a new one when it turns back", async () => {
    const settings = { ...shopWeb, authMethod: "client_secret_post" } as const;
    const { secret: first } = await clients.addClient(settings);
    expect((await clients.changeClient("shopWeb", shopWeb)).client.secretHashes).toEqual([]);
    const { secret: second } = await clients.changeClient("shopWeb", settings);
    expect(second).toBeDefined();
    expect(second).not.toBe(first);
  });

  test("every change leaves its trace, and one that changes nothing leaves none", async () => {
    await clients.addClient(billingApi);
    await clients.changeClient("billingApi", { ...billingApi, name: "Billing 2" });
    await clients.changeClient("billingApi", { ...billingApi, name: "Billing 2" });
    await clients.rotateSecret("billingApi", { keepOldForSeconds: 0 });
    await clients.removeClient("billingApi");
    expect(await listAuditTypes()).toEqual([
      "client_created",
      "client_changed",
      "client_secret_rotated",
      "client_removed",
    ]);
  });
});

describe("resource servers", () => {
  test("one is added, changed and removed", async () => {
    await clients.addResourceServer(orders);
    await expect(clients.addResourceServer(orders)).rejects.toMatchObject({ code: "RESOURCE_SERVER_EXISTS" });
    await clients.changeResourceServer(orders.identifier, { ...orders, accessTokenSeconds: 60 });
    expect(await clients.findResourceServer(orders.identifier)).toMatchObject({
      name: "Orders",
      accessTokenSeconds: 60,
    });
    await clients.removeResourceServer(orders.identifier);
    expect(await clients.findResourceServer(orders.identifier)).toBeUndefined();
    expect(await clients.listResourceServers()).toEqual([]);
    await expect(clients.removeResourceServer(orders.identifier)).rejects.toMatchObject({
      code: "RESOURCE_SERVER_NOT_FOUND",
    });
  });

  test("a client cannot name one that does not exist, nor a scope that it does not have", async () => {
    const faultsOf = (settings: Parameters<Clients["addClient"]>[0]) =>
      clients.addClient(settings).catch((error: unknown) => error);
    expect(await faultsOf({ ...shopWeb, resources: [ordersAccess] })).toMatchObject({
      code: "CLIENT_INVALID",
      faults: [
        { key: "clients.shopWeb.resources", problem: "names https://api.example.com, which is not a resource server" },
      ],
    });
    await clients.addResourceServer(orders);
    const resources = [{ ...ordersAccess, scopes: ["read", "write"] }];
    expect(await faultsOf({ ...shopWeb, resources })).toMatchObject({
      code: "CLIENT_INVALID",
      faults: [{ problem: "asks https://api.example.com for write, which is not one of its scopes" }],
    });
    expect(await clients.listClients()).toEqual([]);
    expect(await listAuditTypes()).toEqual(["resource_server_created"]);
  });

  test("one that clients name is neither removed nor robbed of a scope", async () => {
    await clients.addResourceServer(orders);
    await clients.addClient({ ...shopWeb, resources: [ordersAccess] });
    const inUse = { code: "RESOURCE_SERVER_IN_USE" };
    await expect(clients.removeResourceServer(orders.identifier)).rejects.toMatchObject(inUse);
    await expect(clients.changeResourceServer(orders.identifier, { ...orders, scopes: [] })).rejects.toMatchObject(
      inUse,
    );
    expect(await clients.findResourceServer(orders.identifier)).toMatchObject(orders);
  });

  test("a client introspects for one that exists, which then stays", async () => {
    const ordersItself = { ...billingApi, introspects: [orders.identifier] };
    await expect(clients.addClient(ordersItself)).rejects.toMatchObject({
      faults: [
        {
          key: "clients.billingApi.introspects",
          problem: "names https://api.example.com, which is not a resource server",
        },
      ],
    });
    await clients.addResourceServer(orders);
    await clients.addClient(ordersItself);
    await expect(clients.removeResourceServer(orders.identifier)).rejects.toMatchObject({
      code: "RESOURCE_SERVER_IN_USE",
    });
  });
});

describe("a document", () => {
  const document = { resources: [orders], clients: [{ ...shopWeb, resources: [ordersAccess] }, billingApi] };
  const apply = (given: unknown, secretFiles: Record<string, string> = {}) =>
    clients.applyDocument(given, { secretFiles: new Map(Object.entries(secretFiles)), mode: "apply" });
  const summaryOf = (changes: Awaited<ReturnType<typeof apply>>) =>
    changes.map(({ action, name, differences }) => [action, name, ...differences.map(({ key }) => key)].join(" "));

  test("is applied once; a second time there is nothing to change", async () => {
    const changes = await apply(document);
    expect(summaryOf(changes)).toEqual(["create https://api.example.com", "create shopWeb", "create billingApi"]);
    expect(changes[2]?.secret).toHaveLength(43);
    const traces = await listAuditTypes();
    expect(await apply(document)).toEqual([]);
    expect(await listAuditTypes()).toEqual(traces);
  });

  test("changes what differs, and leaves alone what it does not name", async () => {
    await apply(document);
    const changes = await apply({ clients: [{ ...shopWeb, isFirstParty: true, homeUri: "https://shop.example.com" }] });
    expect(changes[0]?.differences).toEqual([
      { key: "homeUri", from: undefined, to: "https://shop.example.com" },
      { key: "isFirstParty", from: false, to: true },
      { key: "resources", from: [ordersAccess], to: [] },
    ]);
    expect((await clients.listClients()).map(({ id }) => id)).toEqual(["billingApi", "shopWeb"]);
  });

  test("removes what says remove: true, once", async () => {
    await apply(document);
    const removal = {
      resources: [{ identifier: orders.identifier, remove: true }],
      clients: [{ id: "shopWeb", remove: true }],
    };
    expect(summaryOf(await apply(removal))).toEqual(["remove https://api.example.com", "remove shopWeb"]);
    expect(await apply(removal)).toEqual([]);
  });

  test("is all or nothing", async () => {
    const broken = {
      ...document,
      clients: [...document.clients, { ...shopWeb, id: "reportsCli", resources: [{ identifier: "urn:none" }] }],
    };
    await expect(apply(broken)).rejects.toMatchObject({ code: "DECLARATION_INVALID" });
    expect(await clients.listClients()).toEqual([]);
    expect(await clients.listResourceServers()).toEqual([]);
  });

  test("that is only tried changes nothing and shows no secret", async () => {
    const changes = await clients.applyDocument(document, { secretFiles: new Map(), mode: "dryRun" });
    expect(summaryOf(changes)).toEqual(["create https://api.example.com", "create shopWeb", "create billingApi"]);
    expect(changes.every(({ secret }) => secret === undefined)).toBe(true);
    expect(await clients.listClients()).toEqual([]);
    expect(await listAuditTypes()).toEqual([]);
  });

  test("takes secrets from a file, several during a rotation", async () => {
    const [first, second] = ["a".repeat(31) + "bcdefghijklmnop", "b".repeat(31) + "acdefghijklmnop"];
    const entry = { clients: [{ ...billingApi, secretFile: "billing" }] };
    expect((await apply(entry, { billing: `${first}\n` }))[0]?.secret).toBeUndefined();
    expect(await apply(entry, { billing: `${first}\n` })).toEqual([]);
    expect(summaryOf(await apply(entry, { billing: `${second}\n${first}\n` }))).toEqual(["change billingApi secret"]);
    expect((await clients.getClient("billingApi")).secretHashes).toEqual([sha256(second), sha256(first)]);
    expect(summaryOf(await apply(entry, { billing: second }))).toEqual(["change billingApi secret"]);
    expect((await clients.getClient("billingApi")).secretHashes).toEqual([sha256(second)]);
  });

  test("reports the faults of all entries at once, by their names", async () => {
    const faulty = {
      client: [],
      resources: [{ identifier: "urn:a", name: "A", scope: "x" }, "urn:b"],
      clients: [
        { id: "shopWeb", redirectUris: [] },
        { ...billingApi, secretFile: "short" },
        { ...shopWeb, id: "reportsCli", secretFile: "missing" },
        { id: "old", name: "Old", remove: true },
        { ...shopWeb, id: "twice" },
        { ...shopWeb, id: "twice" },
      ],
    };
    const error: unknown = await apply(faulty, { short: "hunter2" }).catch((thrown: unknown) => thrown);
    const faults = (error as { faults: { key: string; problem: string }[] }).faults;
    expect(faults.map(({ key }) => key)).toEqual([
      "client",
      "resources.urn:a.scope",
      "resources[1].it",
      "clients.shopWeb.name",
      "clients.shopWeb.redirectUris",
      "clients.billingApi.secretFile",
      "clients.reportsCli.secretFile",
      "clients.reportsCli.secretFile",
      "clients.old.name",
      "twice",
    ]);
    expect(JSON.stringify(faults)).not.toContain("hunter2");
  });

  test.each([["text"], [[]], [{ clients: {} }], [{ clients: [null] }]])("such as %j is refused", async (given) => {
    await expect(apply(given)).rejects.toMatchObject({ code: "DECLARATION_INVALID" });
  });
});
