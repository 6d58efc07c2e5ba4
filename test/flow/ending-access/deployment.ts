import { request } from "node:http";
import { Readable } from "node:stream";
import { sql } from "kysely";
import { expect } from "vitest";
import type { ClientSettings, ResourceServerSettings } from "../../../src/clients/index.ts";
import { createVerifier, type Verifier, VerifierError, type VerifierErrorCode } from "../../../src/verifier/index.ts";
import { ordersApi } from "../../support/cast.ts";
import { type Stores, startNode, type TestLatchkey } from "../../support/latchkey.ts";
import { addService, type Caller, ordersService, post, startSecondNode } from "../../support/services.ts";
import { createWorld, type World } from "../../support/world.ts";

/** What is bounded by time catches the services' own tokens too, for five seconds. */
const CAUGHT_UP_MS_MAX = 15_000;

/** An API whose tokens are opaque, so that it asks about each. */
export const parcelsApi: ResourceServerSettings = {
  identifier: "https://parcels.example.com",
  name: "Parcels",
  scopes: [{ name: "parcels:read", description: "See your parcels" }],
  accessTokenFormat: "opaque",
};

const bothApis = [
  { identifier: ordersApi.identifier, scopes: ["orders:read"] },
  { identifier: parcelsApi.identifier, scopes: ["parcels:read"] },
];

/** The other app: first-party, so that it is asked for no consent. */
export const calendarWeb = {
  id: "calendarWeb",
  name: "Calendar",
  isFirstParty: true,
  redirectUris: ["https://notes.example.com/calendar"],
  resources: bothApis,
} as const satisfies ClientSettings;

/** Goes on without the person where it is allowed to. */
export const archiveWeb = {
  ...calendarWeb,
  id: "archiveWeb",
  name: "Archive",
  isFirstParty: false,
  redirectUris: ["https://notes.example.com/archive"],
} as const satisfies ClientSettings;

/** Of which each scene has one of its own, because clients end as well. */
export const shopSettings = {
  name: "Shop",
  authMethod: "client_secret_basic",
  grantTypes: ["authorization_code", "refresh_token", "client_credentials"],
  redirectUris: ["https://shop.example.com/callback"],
  postLogoutRedirectUris: ["https://shop.example.com/"],
  resources: bothApis,
} as const satisfies Omit<ClientSettings, "id">;

/** `accepted`, or why it is refused. */
export type Verdict = "accepted" | "inactive" | VerifierErrorCode;

/** Two nodes, each with a service that hears revocations from it. Access ends at the first, unless somebody says so. */
export interface Deployment {
  readonly world: World;
  readonly nodes: () => readonly [TestLatchkey, TestLatchkey];
  /** Of each node's service, what it makes of the token. */
  askServices(token: string): Promise<readonly Verdict[]>;
  /** Of each node, what it says of the token. */
  askNodes(token: string): Promise<readonly Verdict[]>;
  /** Until both services have heard of all that is committed. */
  servicesCaughtUp(): Promise<void>;
  /** Both nodes stop and start anew, one after the other. */
  restart(): Promise<void>;
  close(): Promise<void>;
}

/** So many that who signs in again keeps their others. */
const SESSIONS_MAX = 3;

export async function deploy(stores: Stores): Promise<Deployment> {
  const world = await createWorld({
    stores,
    settings: { SESSION_MAX_PER_ACCOUNT: String(SESSIONS_MAX), TRUSTED_PROXIES: "1" },
  });
  const { clients } = world.latchkey;
  await clients.addResourceServer(parcelsApi);
  for (const client of [calendarWeb, archiveWeb]) await clients.addClient(client);
  const introspects = bothApis.map(({ identifier }) => identifier);
  const api = await addService(world.latchkey, { ...ordersService, introspects });
  let nodes = [world.latchkey, await startSecondNode(world.latchkey)] as const;
  const services = nodes.map((node) => openService(node, api));
  await Promise.all(services.map((service) => service.ready()));

  async function lastRevocation(): Promise<bigint> {
    const { rows } = await sql<{ id: string }>`select last_id::text as id from revocation_feed`.execute(
      nodes[1].database.db,
    );
    return BigInt(rows[0]?.id ?? 0);
  }

  const askNode = async (node: TestLatchkey, token: string): Promise<Verdict> => {
    const { body } = await post(node, "/introspect", { caller: api, parameters: { token } });
    return (body as { readonly active: boolean }).active ? "accepted" : "inactive";
  };

  return {
    world,
    nodes: () => nodes,
    askServices: (token) => Promise.all(services.map((service) => askService(service, token))),
    askNodes: (token) => Promise.all(nodes.map((node) => askNode(node, token))),
    async servicesCaughtUp() {
      const last = await lastRevocation();
      const haveHeard = (): boolean =>
        services.every((service) => {
          const { position, revocations } = service.status();
          return revocations === "live" && BigInt(position ?? -1) >= last;
        });
      await expect.poll(haveHeard, { timeout: CAUGHT_UP_MS_MAX, interval: 5 }).toBe(true);
    },
    async restart() {
      const settings = nodes.map((node) => node.settings);
      for (const node of nodes) await node.stopNode();
      const [first, second] = await Promise.all(settings.map((own) => startNode({ settings: own })));
      if (first === undefined || second === undefined) throw new Error("two nodes were there");
      nodes = [first, second];
    },
    async close() {
      for (const service of services) await service.close();
      for (const node of nodes) await node.stopNode();
      await world.close();
    },
  };
}

/** One that cannot tell just now, because the machine had no time for its heartbeats, is asked again when it can. */
async function askService(service: Verifier, token: string): Promise<Verdict> {
  try {
    await service.verify(token);
    return "accepted";
  } catch (error) {
    if (!(error instanceof VerifierError)) throw error;
    if (error.status !== 503) return error.code;
    await service.ready();
    return askService(service, token);
  }
}

/** One that has not heard of a revocation does not accept, so that what it says it says knowingly. */
function openService(node: TestLatchkey, { id, secret = "" }: Caller): Verifier {
  return createVerifier({
    issuer: node.issuer,
    audience: ordersApi.identifier,
    revocations: "feed",
    onStale: "reject",
    client: { id, secret },
    fetch: fetchFrom(node),
  });
}

/** Sends what is meant for the issuer to one of its nodes, under the issuer's name, as a load balancer would. */
function fetchFrom(node: TestLatchkey): typeof fetch {
  return async (input, init) => {
    const given = new Request(input, init);
    const url = new URL(given.url);
    const headers = { ...Object.fromEntries(given.headers), host: url.host };
    const options = { host: "127.0.0.1", port: node.settings.PORT, path: url.pathname + url.search };
    const body = Buffer.from(await given.arrayBuffer());
    return new Promise((resolve, reject) => {
      const { method } = given;
      // The caller's own: undici keeps that of a `Request` alive no longer than the `Request`, and an answer lasts longer.
      const signal = init?.signal ?? given.signal;
      const outgoing = request({ ...options, method, headers, signal, agent: false }, (answer) => {
        const received = Object.entries(answer.headersDistinct).flatMap(([name, values = []]) =>
          values.map((value): [string, string] => [name, value]),
        );
        const stream = Readable.toWeb(answer) as ReadableStream<Uint8Array>;
        resolve(new Response(stream, { status: answer.statusCode ?? 0, headers: received }));
      });
      outgoing.once("error", reject);
      outgoing.end(body);
    });
  };
}
