import {
  type Configuration,
  errors,
  type KoaContextWithOIDC,
  type ResourceServer as ProviderResourceServer,
} from "oidc-provider";
import type { Client, Clients, ResourceServer } from "../../clients/index.ts";
import { REVOCATION_FEED_SCOPE, revocationFeedUrl } from "../identity.ts";
import { ACCESS_TOKEN_SECONDS } from "./lifetimes.ts";

type ResourceIndicators = NonNullable<NonNullable<Configuration["features"]>["resourceIndicators"]>;

export interface ResourceServersDeps {
  readonly clients: Clients;
  readonly issuer: string;
}

/**
 * Which API a token is for (RFC 8707). A client may ask for the resource servers of its list; a request that names
 * none gets its default one, or else an opaque token that serves userinfo only.
 */
export function resourceIndicators({ clients, issuer }: ResourceServersDeps): ResourceIndicators {
  const feedUrl = revocationFeedUrl(issuer);
  return {
    enabled: true,
    async defaultResource(ctx, client, oneOf) {
      if (isServiceRequest(ctx) && ctx.oidc.requestParamScopes.has(REVOCATION_FEED_SCOPE)) return feedUrl;
      const preferred = (await clients.findClient(client.clientId))?.defaultResource;
      if (oneOf === undefined) return preferred ?? [];
      return preferred !== undefined && oneOf.includes(preferred) ? preferred : (oneOf[0] ?? []);
    },
    useGrantedResource: () => true,
    async getResourceServerInfo(ctx, identifier, providerClient) {
      const client = await clients.findClient(providerClient.clientId);
      if (identifier === feedUrl) return revocationFeed({ ctx, client, feedUrl });
      const access = client?.resources.find((resource) => resource.identifier === identifier);
      const resourceServer = access && (await clients.findResourceServer(identifier));
      if (access === undefined || resourceServer === undefined) throw new errors.InvalidTarget();
      if (isServiceRequest(ctx)) refuseOtherScopes(ctx.oidc.requestParamScopes, access.scopes);
      return toProviderResourceServer(resourceServer, access.scopes);
    },
  };
}

/**
 * The revocation feed, an API of our own. It is for clients that are APIs themselves, and tells each what concerns it;
 * nobody reaches it in the name of a person.
 */
function revocationFeed(request: {
  readonly ctx: KoaContextWithOIDC;
  readonly client: Client | undefined;
  readonly feedUrl: string;
}): ProviderResourceServer {
  const { ctx, client, feedUrl } = request;
  if (!isServiceRequest(ctx)) throw new errors.InvalidTarget();
  const { requestParamScopes: scopes } = ctx.oidc;
  if (scopes.size !== 1 || !scopes.has(REVOCATION_FEED_SCOPE)) {
    throw new errors.InvalidScope(
      `a token for the revocation feed has the scope ${REVOCATION_FEED_SCOPE} and no other`,
      [...scopes].join(" "),
    );
  }
  if (client === undefined || client.introspects.length === 0) {
    throw new errors.InvalidScope("the client is no API that revocations could concern", REVOCATION_FEED_SCOPE);
  }
  return {
    audience: feedUrl,
    scope: REVOCATION_FEED_SCOPE,
    accessTokenTTL: ACCESS_TOKEN_SECONDS,
    accessTokenFormat: "jwt",
    jwt: { sign: { alg: "ES256" } },
  };
}

function isServiceRequest({ oidc }: KoaContextWithOIDC): boolean {
  return oidc.route === "token" && oidc.params?.["grant_type"] === "client_credentials";
}

/** The library would leave out what a service may not have; it shall rather be told (RFC 6749, section 5.2). */
function refuseOtherScopes(requested: ReadonlySet<string>, allowed: readonly string[]): void {
  const other = [...requested].find((scope) => !allowed.includes(scope));
  if (other !== undefined) throw new errors.InvalidScope("the client may not ask for this scope", other);
}

function toProviderResourceServer(
  resourceServer: ResourceServer,
  scopes: Client["resources"][number]["scopes"],
): ProviderResourceServer {
  const known = new Set(resourceServer.scopes.map(({ name }) => name));
  const common = {
    audience: resourceServer.identifier,
    scope: scopes.filter((scope) => known.has(scope)).join(" "),
    accessTokenTTL: resourceServer.accessTokenSeconds,
  };
  return resourceServer.accessTokenFormat === "jwt"
    ? { ...common, accessTokenFormat: "jwt", jwt: { sign: { alg: resourceServer.accessTokenAlgorithm } } }
    : { ...common, accessTokenFormat: "opaque" };
}
