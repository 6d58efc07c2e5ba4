import type { Configuration } from "oidc-provider";
import { AUTH_METHODS } from "../../clients/index.ts";
import { revocationFeedUrl } from "../identity.ts";
import { ALGORITHMS } from "./features.ts";

/** What the library's metadata leaves out (RFC 8414, section 2), and where our own feed is (docs/revocation-feed.md). */
export function discovery(issuer: string): NonNullable<Configuration["discovery"]> {
  const methods = [...AUTH_METHODS];
  const algorithms = [...(ALGORITHMS.clientAuthSigningAlgValues ?? [])];
  return {
    introspection_endpoint_auth_methods_supported: methods,
    introspection_endpoint_auth_signing_alg_values_supported: algorithms,
    revocation_endpoint_auth_methods_supported: methods,
    revocation_endpoint_auth_signing_alg_values_supported: algorithms,
    revocation_feed_endpoint: revocationFeedUrl(issuer),
  };
}
