import type { Configuration } from "oidc-provider";
import type { RevocationLog } from "../../sessions/index.ts";
import type { IntrospectionPolicy } from "../introspection-policy.ts";
import { isRevokedOpaque } from "../opaque-tokens.ts";
import { resourceIndicators, type ResourceServersDeps } from "./resource-servers.ts";
import { signOutPages, type SignOutPagesDeps } from "./sign-out.ts";

export interface FeaturesDeps extends ResourceServersDeps, SignOutPagesDeps {
  readonly mayIntrospect: IntrospectionPolicy;
  readonly revocationLog: Pick<RevocationLog, "catchUp" | "isRevoked">;
}

/** What is on. Everything else that the library offers is off: implicit, hybrid, password, dynamic registration … */
export function features(deps: FeaturesDeps): NonNullable<Configuration["features"]> {
  return {
    devInteractions: { enabled: false },
    // For the claim `acr`. No other has to be asked for: the scopes bring them.
    claimsParameter: { enabled: true },
    clientCredentials: { enabled: true },
    dPoP: { enabled: true },
    pushedAuthorizationRequests: { enabled: true },
    userinfo: { enabled: true },
    introspection: { enabled: true, allowedPolicy: introspectionPolicy(deps) },
    revocation: { enabled: true, allowedPolicy: (_ctx, client, token) => token.clientId === client.clientId },
    resourceIndicators: resourceIndicators(deps),
    rpInitiatedLogout: { enabled: true, ...signOutPages(deps) },
    // For `sid` in ID tokens and for discovery. Logout tokens go through a queue of ours: see `logout-tokens.ts`.
    backchannelLogout: { enabled: true },
    // Experimental: another version of it would refuse to start until we say that we know it.
    externalSigningSupport: { enabled: true, ack: "experimental-01" },
  };
}

type AllowedPolicy = NonNullable<NonNullable<NonNullable<Configuration["features"]>["introspection"]>["allowedPolicy"]>;

/** By the library's own policy any confidential client may ask about any token. */
function introspectionPolicy({ mayIntrospect, revocationLog }: FeaturesDeps): AllowedPolicy {
  return async (_ctx, client, token) => {
    const audience = "aud" in token && typeof token.aud === "string" ? token.aud : undefined;
    if (!(await mayIntrospect(client.clientId, { clientId: token.clientId, audience }))) return false;
    if (token.kind === "RefreshToken") return true;
    await revocationLog.catchUp();
    return !isRevokedOpaque(revocationLog, token);
  };
}

/** Signature algorithms, all asymmetric: nobody who can verify a token can make one. */
export const ALGORITHMS: NonNullable<Configuration["enabledJWA"]> = {
  idTokenSigningAlgValues: ["RS256", "PS256", "ES256", "EdDSA"],
  clientAuthSigningAlgValues: ["RS256", "PS256", "ES256", "EdDSA", "Ed25519"],
  dPoPSigningAlgValues: ["ES256", "EdDSA", "Ed25519", "RS256", "PS256"],
};
