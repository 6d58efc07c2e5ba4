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
    // By default any confidential client may ask about any token; here, only about those that it got itself.
    introspection: { enabled: true, allowedPolicy: (_ctx, client, token) => token.clientId === client.clientId },
    revocation: { enabled: true, allowedPolicy: (_ctx, client, token) => token.clientId === client.clientId },
    resourceIndicators: resourceIndicators(deps.clients),
    rpInitiatedLogout: { enabled: true, ...signOutPages(deps) },
  };
}

/** Signature algorithms, all asymmetric: nobody who can verify a token can make one. */
export const ALGORITHMS: NonNullable<Configuration["enabledJWA"]> = {
  idTokenSigningAlgValues: ["RS256", "PS256", "ES256", "EdDSA"],
  clientAuthSigningAlgValues: ["RS256", "PS256", "ES256", "EdDSA", "Ed25519"],
  dPoPSigningAlgValues: ["ES256", "EdDSA", "Ed25519", "RS256", "PS256"],
};
