import { expect, onTestFinished, test } from "vitest";
import { createAudit } from "../../src/audit/index.ts";
import { createClients } from "../../src/clients/index.ts";
import { grantLimitsOf } from "../../src/oidc/configuration/clients.ts";
import { CLOCK_TOLERANCE_SECONDS } from "../../src/sessions/index.ts";
import { addAccount, openPostgresGround } from "./grounds.ts";
import { createNode, request, signIn } from "./library.ts";

const ALICE = "kR3vVb7mSTy0Hq2Ck9yW5Q";
const shopWeb = { id: "shopWeb", name: "Shop", redirectUris: ["https://shop.example.com/callback"] };

test("what was granted to a client is revoked also where the node that granted it has a clock that is ahead", async () => {
  const ground = await openPostgresGround();
  onTestFinished(() => ground.close());
  const { clock } = ground;
  const connection = await ground.connect();
  const { db } = connection;
  await addAccount(db, ALICE);
  const audit = createAudit({ db, clock });
  const noAccounts = { accountIdsAmong: async () => new Set<string>() };
  const clients = createClients({ db, clock, audit, revokeClientTokens: async () => {}, ...noAccounts });
  await clients.addClient(shopWeb);
  const clockAhead = { nowMs: () => clock.nowMs() + CLOCK_TOLERANCE_SECONDS * 1_000 };
  const ahead = createNode({ ...ground, clock: clockAhead }, connection);
  const node = createNode(ground, connection, {
    findGrantLimits: async (id) => grantLimitsOf(await clients.getClient(id)),
  });
  const { grantIds } = await signIn(ahead, { accountId: ALICE, clientIds: [shopWeb.id] });
  const findGrant = () => request(node, () => node.model("Grant").find(grantIds[shopWeb.id] ?? ""));
  expect(await findGrant()).toBeDefined();
  await clients.revokeGrants(shopWeb.id);
  expect(await findGrant()).toBeUndefined();
});
