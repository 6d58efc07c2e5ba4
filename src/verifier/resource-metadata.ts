const WELL_KNOWN = "/.well-known/oauth-protected-resource";
/** A document that changes seldom, and that a client may look at before each first call. */
const MAX_AGE_SECONDS = 300;

/** What a service says of itself. Everything but the first two is for people and for clients that look around. */
export interface ResourceDescription {
  /** The identifier that the service is registered with: the `aud` of its tokens. */
  readonly resource: string;
  /** Who issues tokens for it: Latchkey's issuer. */
  readonly authorizationServers: readonly string[];
  readonly scopes?: readonly string[];
  /** For people: what the service is called. */
  readonly name?: string;
  /** Address of a page for developers. */
  readonly documentation?: string;
  readonly policyUri?: string;
  readonly termsUri?: string;
  /** Whether the service takes tokens only that are bound to a key (RFC 9449). Left out: it takes both. */
  readonly isDpopRequired?: boolean;
  /** Algorithms that proofs may be signed with. Left out: not said. */
  readonly dpopAlgorithms?: readonly string[];
}

/** The metadata of a protected resource, and where it belongs (RFC 9728). */
export interface ResourceMetadata {
  /** Where clients fetch it, and what `resource_metadata` in a challenge names. */
  readonly url: string;
  /** The path of `url`, with a query if the identifier has one. */
  readonly path: string;
  /** The document, ready to be sent as JSON. */
  readonly document: Readonly<Record<string, unknown>>;
  /** The headers that it is sent with. It is for everybody, scripts of other origins included. */
  readonly headers: Readonly<Record<string, string>>;
}

/**
 * Writes the metadata of a service, so that a client that was refused learns whom to ask for a token.
 *
 * @throws TypeError when `resource` has no address on the web: a `urn:` cannot be looked up.
 * @see RFC 9728, sections 2 and 3
 */
export function createResourceMetadata(description: ResourceDescription): ResourceMetadata {
  const url = resourceMetadataUrl(description.resource);
  return {
    url: url.href,
    path: url.pathname + url.search,
    document: writeDocument(description),
    headers: {
      "content-type": "application/json",
      "cache-control": `public, max-age=${MAX_AGE_SECONDS}`,
      "access-control-allow-origin": "*",
    },
  };
}

/** The well-known part goes between the host and what the identifier has after it (RFC 9728, section 3.1). */
function resourceMetadataUrl(resource: string): URL {
  const url = URL.parse(resource);
  const isOnTheWeb = url?.protocol === "https:" || url?.protocol === "http:";
  if (!isOnTheWeb || resource.includes("#")) {
    throw new TypeError(
      `A resource with metadata is an https URL without fragment (RFC 9728, section 1.2): ${resource}`,
    );
  }
  const place = new URL(url);
  place.pathname = WELL_KNOWN + (url.pathname === "/" ? "" : url.pathname);
  return place;
}

function writeDocument(description: ResourceDescription): Readonly<Record<string, unknown>> {
  const { resource, authorizationServers, scopes, isDpopRequired, dpopAlgorithms } = description;
  const optional = {
    scopes_supported: scopes,
    resource_name: description.name,
    resource_documentation: description.documentation,
    resource_policy_uri: description.policyUri,
    resource_tos_uri: description.termsUri,
    dpop_bound_access_tokens_required: isDpopRequired,
    dpop_signing_alg_values_supported: dpopAlgorithms,
  };
  return {
    resource,
    authorization_servers: authorizationServers,
    // The adapters read the Authorization header, and nothing else.
    bearer_methods_supported: ["header"],
    // A parameter without a value is left out (RFC 9728, section 3.2).
    ...Object.fromEntries(Object.entries(optional).filter(([, value]) => value !== undefined && !isEmpty(value))),
  };
}

function isEmpty(value: unknown): boolean {
  return Array.isArray(value) && value.length === 0;
}
