import type { Clients, ClientSettings, ResourceServerSettings } from "../clients/index.ts";

export const APP_CLIENT_ID = "demo-app";
/** The API as a client: who reads the revocation feed and asks about tokens. */
export const API_CLIENT_ID = "demo-api";
/**
 * What the app asks for at first; for placing orders it asks when somebody does. No `offline_access`: its refresh token
 * lives as long as the session, which is what an app in a browser should have.
 */
export const APP_SCOPE = "openid profile email orders:read";

export interface DemoOrigins {
  readonly appUrl: string;
  readonly apiUrl: string;
}

/** What Latchkey must know about the examples: the same as `examples/latchkey.yaml`, for any ports. */
export function demoDeclarations({ appUrl, apiUrl }: DemoOrigins): {
  readonly resources: readonly ResourceServerSettings[];
  readonly clients: readonly ClientSettings[];
} {
  return {
    resources: [
      {
        identifier: apiUrl,
        name: "Demo API",
        scopes: [
          { name: "orders:read", description: "See your orders" },
          { name: "orders:write", description: "Place and refund orders for you" },
        ],
      },
    ],
    clients: [
      {
        id: APP_CLIENT_ID,
        name: "Demo app",
        redirectUris: [`${appUrl}/callback`],
        postLogoutRedirectUris: [`${appUrl}/`],
        homeUri: `${appUrl}/`,
        resources: [{ identifier: apiUrl, scopes: ["orders:read", "orders:write"] }],
        defaultResource: apiUrl,
      },
      {
        id: API_CLIENT_ID,
        name: "Demo API",
        authMethod: "client_secret_basic",
        grantTypes: ["client_credentials"],
        introspects: [apiUrl],
      },
    ],
  };
}

/** The name under which the API's secret is handed over, as a file's would be. */
const API_SECRET_FILE = "secret of the demo's API";

/**
 * Makes the registry agree with this start's ports; a second start with the same ones changes nothing but the API's
 * secret, which nobody keeps beyond the process.
 */
export async function registerDemo(
  clients: Pick<Clients, "applyDocument">,
  { apiSecret, ...origins }: DemoOrigins & { readonly apiSecret: string },
): Promise<void> {
  const declarations = demoDeclarations(origins);
  const document = { ...declarations, clients: declarations.clients.map(withSecretFile) };
  await clients.applyDocument(document, { secretFiles: new Map([[API_SECRET_FILE, apiSecret]]), mode: "apply" });
}

function withSecretFile(client: ClientSettings): ClientSettings & { readonly secretFile?: string } {
  return client.id === API_CLIENT_ID ? { ...client, secretFile: API_SECRET_FILE } : client;
}
