import { z } from "zod";
import { compose } from "../../src/compose.ts";
import { loadConfig } from "../../src/config/index.ts";
import { startIdleCollection } from "../../src/observability/index.ts";
import { billingApi, IDENTITY_SCOPES, ordersResource, PASSWORD, personAt, shopWeb } from "../cast.ts";
import { runClosedLoop } from "../load/closed-loop.ts";
import { runChildServer } from "../variants/child-server.ts";

const REGISTRATIONS_AT_ONCE = 4;

const latchkeyOptions = z.object({
  /** Settings, as the environment would give them. */
  settings: z.record(z.string(), z.string()),
  /** Who is to be there; absent for a node of a deployment that another one has populated. */
  population: z.object({ personCount: z.number() }).optional(),
});

export type LatchkeyOptions = z.infer<typeof latchkeyOptions>;
export interface LatchkeyReady {
  /** Of `billing-api`; empty when the node populated nothing. */
  readonly clientSecret: string;
}

type Latchkey = Awaited<ReturnType<typeof compose>>;

/** The worker process of the `latchkey` variant: the server as `main.ts` composes it, with the benchmark's cast. */
await runChildServer(async (input): Promise<LatchkeyReady> => {
  const { settings, population } = latchkeyOptions.parse(input);
  const latchkey = await compose(loadConfig(settings));
  const clientSecret = population === undefined ? "" : await addClients(latchkey);
  await runClosedLoop({
    workerCount: REGISTRATIONS_AT_ONCE,
    requestCount: population?.personCount ?? 0,
    async perform(index) {
      await latchkey.accounts.register({ ...personAt(index), password: PASSWORD }, "operator");
    },
  });
  await latchkey.listen();
  startIdleCollection();
  return { clientSecret };
});

async function addClients({ clients }: Latchkey): Promise<string> {
  const resources = [{ identifier: ordersResource.identifier, scopes: [ordersResource.scope] }];
  await clients.addResourceServer({
    identifier: ordersResource.identifier,
    name: ordersResource.name,
    scopes: [{ name: ordersResource.scope, description: "See your orders" }],
  });
  await clients.addClient({
    id: shopWeb.id,
    name: shopWeb.name,
    isFirstParty: true,
    authMethod: "none",
    grantTypes: ["authorization_code", "refresh_token"],
    redirectUris: [shopWeb.redirectUri],
    scopes: IDENTITY_SCOPES,
    resources,
  });
  const { secret } = await clients.addClient({
    id: billingApi.id,
    name: billingApi.name,
    authMethod: "client_secret_basic",
    grantTypes: ["client_credentials"],
    resources,
    introspects: [ordersResource.identifier],
  });
  if (secret === undefined) throw new Error("a confidential client got no secret");
  return secret;
}
