/**
 * A service that accepts Latchkey's access tokens: the orders of a small shop, in one file and without a framework.
 *
 * It knows three things: who issues the tokens (`issuer`), its own name in them (`audience`), and which web app may call
 * it from a browser (`appOrigin`). It shares no secret with Latchkey and never calls it per request; the keys come from
 * the issuer's discovery document and JWKS, and are fetched again when a token names a key that is not known yet.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createRemoteJWKSet, errors, type JWTPayload, jwtVerify } from "jose";

export interface OrdersApiOptions {
  /** Latchkey's origin, exactly as its discovery document has it. */
  readonly issuer: string;
  /** This API's identifier, as it was registered with `latchkey resource add`: the `aud` of its tokens. */
  readonly audience: string;
  readonly appOrigin: string;
}

interface Order {
  readonly number: number;
  readonly item: string;
  readonly status: "packing" | "on its way" | "delivered";
}

/** Only asymmetric algorithms: a public key must never be usable as the secret of an HMAC (RFC 8725, section 2.1). */
const ACCEPTED_ALGORITHMS = ["ES256", "PS256", "EdDSA"];
const CLOCK_TOLERANCE_SECONDS = 30;
const DISCOVERY_TIMEOUT_MS = 5_000;

/** A refusal in the words of RFC 6750, section 3. */
class Refusal extends Error {
  readonly status: 401 | 403;
  readonly challenge: string;

  constructor(status: 401 | 403, parameters: Readonly<Record<string, string>> = {}) {
    super(parameters["error"] ?? "no token");
    this.status = status;
    const list = Object.entries({ realm: "orders", ...parameters }).map(([name, value]) => `${name}="${value}"`);
    this.challenge = `Bearer ${list.join(", ")}`;
  }
}

export function createOrdersApi(options: OrdersApiOptions): Server {
  const verifyToken = createTokenVerifier(options);
  const orders = createOrders();

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname } = new URL(request.url ?? "/", "http://api.invalid");
    if (pathname !== "/orders") return send(response, 404, { error: "not_found" });

    if (request.method === "GET") {
      const { sub } = await verifyToken(request.headers.authorization, "orders:read");
      return send(response, 200, { orders: orders.listFor(sub) });
    }
    if (request.method === "POST") {
      const { sub } = await verifyToken(request.headers.authorization, "orders:write");
      return send(response, 201, orders.addFor(sub));
    }
    response.setHeader("allow", "GET, POST, OPTIONS");
    return send(response, 405, { error: "method_not_allowed" });
  }

  return createServer((request, response) => {
    allowApp(request, response, options.appOrigin);
    // A preflight carries no token, so it is answered before anything asks for one.
    if (request.method === "OPTIONS") {
      response.writeHead(204).end();
      return;
    }
    answer(request, response).catch((error: unknown) => refuse(response, error));
  });
}

/** Returns a function that takes an `Authorization` header and gives the claims of a token with the scope. */
function createTokenVerifier({ issuer, audience }: OrdersApiOptions) {
  let keys: Promise<ReturnType<typeof createRemoteJWKSet>> | undefined;

  function issuerKeys() {
    // Asked for at the first request, not at start, so that the two may start in any order; forgotten after a failure.
    keys ??= discoverKeys(issuer).catch((error: unknown) => {
      keys = undefined;
      throw error;
    });
    return keys;
  }

  return async (authorization: string | undefined, scope: string): Promise<JWTPayload & { sub: string }> => {
    const token = /^Bearer +([A-Za-z0-9._~+/-]+=*)$/i.exec(authorization ?? "")?.[1];
    if (token === undefined) throw new Refusal(401);

    const { payload } = await jwtVerify(token, await issuerKeys(), {
      issuer,
      audience,
      algorithms: ACCEPTED_ALGORITHMS,
      // An ID token is signed by the same issuer; its type keeps it from being taken for an access token (RFC 9068).
      typ: "at+jwt",
      requiredClaims: ["sub", "exp", "iat", "client_id"],
      clockTolerance: CLOCK_TOLERANCE_SECONDS,
    });
    const granted = typeof payload["scope"] === "string" ? payload["scope"].split(" ") : [];
    if (!granted.includes(scope)) throw new Refusal(403, { error: "insufficient_scope", scope });
    const { sub } = payload;
    if (sub === undefined) throw new Refusal(401, { error: "invalid_token" });
    return { ...payload, sub };
  };
}

async function discoverKeys(issuer: string) {
  const response = await fetch(`${issuer}/.well-known/openid-configuration`, {
    signal: AbortSignal.timeout(DISCOVERY_TIMEOUT_MS),
  });
  if (!response.ok) throw new Error(`discovery answered ${response.status}`);
  const metadata: unknown = await response.json();
  if (!isMetadata(metadata)) throw new Error("discovery answered something else than metadata");
  // Whoever answers must be whom we asked (OpenID Connect Discovery 1.0, section 4.3).
  if (metadata.issuer !== issuer) throw new Error("discovery answered for another issuer");
  return createRemoteJWKSet(new URL(metadata.jwks_uri), { timeoutDuration: DISCOVERY_TIMEOUT_MS });
}

function isMetadata(value: unknown): value is { issuer: string; jwks_uri: string } {
  return (
    typeof value === "object" &&
    value !== null &&
    "issuer" in value &&
    typeof value.issuer === "string" &&
    "jwks_uri" in value &&
    typeof value.jwks_uri === "string"
  );
}

/** CORS for one app. Any other origin's script may send a request, and cannot read the answer. */
function allowApp(request: IncomingMessage, response: ServerResponse, appOrigin: string): void {
  response.setHeader("vary", "origin");
  if (request.headers.origin !== appOrigin) return;
  response.setHeader("access-control-allow-origin", appOrigin);
  response.setHeader("access-control-allow-methods", "GET, POST");
  response.setHeader("access-control-allow-headers", "authorization");
  // Without this the app's script could not see why it was refused.
  response.setHeader("access-control-expose-headers", "www-authenticate");
  response.setHeader("access-control-max-age", "600");
}

function refuse(response: ServerResponse, error: unknown): void {
  // Anything wrong with the token itself is one answer: a caller learns nothing from the difference.
  const isBadToken =
    error instanceof errors.JOSEError && !(error instanceof errors.JWKSTimeout) && error.code !== "ERR_JOSE_GENERIC";
  const refusal = isBadToken ? new Refusal(401, { error: "invalid_token" }) : error;
  if (refusal instanceof Refusal) {
    response.setHeader("www-authenticate", refusal.challenge);
    return send(response, refusal.status, { error: refusal.message });
  }
  // The keys could not be fetched. Fail closed, and say that it is worth trying again.
  response.setHeader("retry-after", "5");
  send(response, 503, { error: "temporarily_unavailable" });
}

function send(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { "content-type": "application/json", "cache-control": "no-store" });
  response.end(JSON.stringify(body));
}

/** The shop itself: orders by account, in memory. `sub` is the only name of a person that never changes. */
function createOrders() {
  const PEOPLE_MAX = 1_000;
  const ORDERS_MAX = 20;
  const byAccount = new Map<string, Order[]>();

  function listFor(account: string): readonly Order[] {
    return byAccount.get(account) ?? [{ number: 1001, item: "Teapot, 0.8 l", status: "delivered" }];
  }

  function addFor(account: string): Order {
    const earlier = listFor(account);
    const order: Order = { number: 1001 + earlier.length, item: "Green tea, 100 g", status: "packing" };
    if (byAccount.size >= PEOPLE_MAX) byAccount.clear();
    byAccount.set(account, [...earlier, order].slice(-ORDERS_MAX));
    return order;
  }

  return { listFor, addFor };
}
