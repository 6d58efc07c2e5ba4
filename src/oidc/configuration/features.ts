import type { Configuration } from "oidc-provider";
import type { Clients } from "../../clients/index.ts";
import { resourceIndicators } from "./resource-servers.ts";
import { signOutPages, type SignOutPagesDeps } from "./sign-out.ts";

/** What is on. Everything else that the library offers is off: implicit, hybrid, password, dynamic registration … */
export function features(deps: { clients: Clients } & SignOutPagesDeps): NonNullable<Configuration["features"]> {
  return {
    devInteractions: { enabled: false },
    clientCredentials: { enabled: true },
    dPoP: { enabled: true },
    pushedAuthorizationRequests: { enabled: true },
    userinfo: { enabled: true },
    introspection: { enabled: true, allowedPolicy: mayIntrospect(deps.clients) },
    revocation: { enabled: true, allowedPolicy: (_ctx, client, token) => token.clientId === client.clientId },
    resourceIndicators: resourceIndicators(deps.clients),
    rpInitiatedLogout: { enabled: true, ...signOutPages(deps) },
  };
}

type MayIntrospect = NonNullable<NonNullable<NonNullable<Configuration["features"]>["introspection"]>["allowedPolicy"]>;

/**
 * By the library's own policy any confidential client may ask about any token. Here: about those that it got itself,
 * and about those that are for an API that the operator says it is.
 */
function mayIntrospect(clients: Clients): MayIntrospect {
  return async (_ctx, client, token) => {
    if (token.clientId === client.clientId) return true;
    const audience = "aud" in token && typeof token.aud === "string" ? token.aud : undefined;
    const introspects = (await clients.findClient(client.clientId))?.introspects ?? [];
    return audience !== undefined && introspects.includes(audience);
  };
}

/** Signature algorithms, all asymmetric: nobody who can verify a token can make one. */
export const ALGORITHMS: NonNullable<Configuration["enabledJWA"]> = {
  idTokenSigningAlgValues: ["RS256", "PS256", "ES256", "EdDSA"],
  clientAuthSigningAlgValues: ["RS256", "PS256", "ES256", "EdDSA", "Ed25519"],
  dPoPSigningAlgValues: ["ES256", "EdDSA", "Ed25519", "RS256", "PS256"],
};
