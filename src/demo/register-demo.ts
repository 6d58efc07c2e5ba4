import type { Clients, ClientSettings, ResourceServerSettings } from "../clients/index.ts";

export const APP_CLIENT_ID = "demo-app";
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
          { name: "orders:write", description: "Place orders for you" },
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
    ],
  };
}

/** Makes the registry agree with this start's ports; a second start with the same ones changes nothing. */
export async function registerDemo(clients: Pick<Clients, "applyDocument">, origins: DemoOrigins): Promise<void> {
  await clients.applyDocument(demoDeclarations(origins), { secretFiles: new Map(), mode: "apply" });
}
