import { openServices, type Services } from "../../src/services.ts";
import { loadConfig } from "../../src/config/index.ts";
import { createLogger } from "../../src/observability/index.ts";
import { billingApi, IDENTITY_SCOPES, ordersResource, PASSWORD, personAt, shopWeb } from "../cast.ts";
import { runClosedLoop } from "../load/closed-loop.ts";

const REGISTRATIONS_AT_ONCE = 4;

/**
 * Registers the benchmark's cast in a database before a server starts on it; returns the secret of `billing-api`.
 *
 * It runs here and not in the server, so that what is measured of that is what serving takes.
 *
 * @param settings as the environment would give them to the server.
 */
export async function registerCast(settings: Readonly<Record<string, string>>, personCount: number): Promise<string> {
  const services = await openServices(loadConfig(settings), { logger: createLogger({ level: "silent" }) });
  try {
    const clientSecret = await addClients(services);
    await runClosedLoop({
      workerCount: REGISTRATIONS_AT_ONCE,
      requestCount: personCount,
      async perform(index) {
        await services.accounts.register({ ...personAt(index), password: PASSWORD }, "operator");
      },
    });
    return clientSecret;
  } finally {
    await services.close();
  }
}

async function addClients({ clients }: Pick<Services, "clients">): Promise<string> {
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
