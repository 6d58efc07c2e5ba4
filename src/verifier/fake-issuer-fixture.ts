import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { type CryptoKey, exportJWK, generateKeyPair, type JWK, type JWTPayload, SignJWT } from "jose";
import { createFakeFeed, type FakeFeed } from "./fake-feed-fixture.ts";
import type { VerifierOptions } from "./options.ts";
import { systemPlatform } from "./platform.ts";

export const AUDIENCE = "https://orders.example.com";
export const BILLING_API = { id: "billingApi", secret: "s e:c/r+t" } as const;

export interface TokenShape {
  readonly claims?: Readonly<Record<string, unknown>>;
  readonly header?: Readonly<Record<string, unknown>>;
  /** Signs instead of the published key. */
  readonly key?: CryptoKey | Uint8Array;
}

/** What a service sees of Latchkey, over real HTTP. */
export interface FakeIssuer {
  readonly issuer: string;
  readonly feed: FakeFeed;
  /** `METHOD path` of every request, in order. */
  readonly requests: readonly string[];
  /** How often a path was asked for. */
  countOf(path: string): number;
  /** What works with this issuer and audience, by the feed. */
  options(changes?: Partial<VerifierOptions>): VerifierOptions;
  /** Alice's access token for the audience; members of `claims` and `header` that are undefined are left out. */
  sign(shape?: TokenShape): Promise<string>;
  /** Publishes another key, under that name; takes away the former unless `keepsFormer`. */
  rotate(kid: string, options?: { readonly keepsFormer: boolean }): Promise<void>;
  /** Members over those of the discovery document. */
  setMetadata(changes: Readonly<Record<string, unknown>>): void;
  setAway(isAway: boolean): void;
  /** Answers introspection; by default every token is inactive. */
  setIntrospection(answer: (token: string) => unknown): void;
  setFeedTokenSeconds(seconds: number): void;
  close(): Promise<void>;
}

const KEY_ID = "key-1";

interface IssuerState {
  issuer: string;
  readonly feed: FakeFeed;
  readonly requests: string[];
  readonly published: Map<string, JWK>;
  signing: { readonly kid: string; readonly key: Awaited<ReturnType<typeof newKey>> };
  metadata: Readonly<Record<string, unknown>>;
  isAway: boolean;
  introspect: (token: string) => unknown;
  feedTokenSeconds: number;
  feedTokens: number;
}

function metadataOf({ issuer, metadata }: IssuerState): Readonly<Record<string, unknown>> {
  const endpoints = { jwks_uri: `${issuer}/jwks`, token_endpoint: `${issuer}/token` };
  const own = { introspection_endpoint: `${issuer}/introspect`, revocation_feed_endpoint: `${issuer}/revocations` };
  return { issuer, ...endpoints, ...own, ...metadata };
}

/** Absent: the request is not one that this client may make. */
function answerForm(path: string, form: URLSearchParams, state: IssuerState): unknown {
  if (path === "/introspect") return state.introspect(form.get("token") ?? "");
  if (form.get("scope") !== "revocations" || form.get("grant_type") !== "client_credentials") return undefined;
  state.feedTokens += 1;
  const token = { access_token: `feed-token-${state.feedTokens}`, token_type: "Bearer" };
  return { ...token, expires_in: state.feedTokenSeconds };
}

async function answer(request: IncomingMessage, response: ServerResponse, state: IssuerState): Promise<void> {
  const { pathname } = new URL(request.url ?? "/", "http://localhost");
  state.requests.push(`${request.method} ${pathname}`);
  const send = (status: number, body: unknown): void => {
    response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
  };
  if (state.isAway) return send(503, {});
  if (pathname === "/.well-known/openid-configuration") return send(200, metadataOf(state));
  if (pathname === "/jwks") return send(200, { keys: [...state.published.values()] });
  if (pathname === "/revocations") return state.feed.open(request, response);
  if (!isClient(request)) return send(401, { error: "invalid_client" });
  const answered = answerForm(pathname, new URLSearchParams(await text(request)), state);
  send(answered === undefined ? 400 : 200, answered ?? { error: "invalid_request" });
}

async function publishKey(state: IssuerState, kid: string): Promise<void> {
  const key = await newKey();
  state.published.set(kid, { ...(await exportJWK(key.publicKey)), kid, alg: "ES256", use: "sig" });
  state.signing = { kid, key };
}

export async function startFakeIssuer(): Promise<FakeIssuer> {
  const flags = { metadata: {}, isAway: false, feedTokenSeconds: 300, feedTokens: 0 };
  const state: IssuerState = {
    ...flags,
    issuer: "",
    feed: createFakeFeed(),
    requests: [],
    published: new Map(),
    signing: { kid: "", key: await newKey() },
    introspect: () => ({ active: false }),
  };
  await publishKey(state, KEY_ID);
  const server = createServer((request, response) => void answer(request, response, state));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  state.issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return controlsOf(state, server);
}

function controlsOf(state: IssuerState, server: Server): FakeIssuer {
  const { issuer, feed, requests } = state;
  const own = { issuer, audience: AUDIENCE, revocations: "feed", client: BILLING_API } as const;
  return {
    issuer,
    feed,
    requests,
    countOf: (path) => requests.filter((request) => request.endsWith(` ${path}`)).length,
    options: (changes) => ({ ...own, ...changes }),
    sign: async ({ claims, header, key } = {}) =>
      await new SignJWT({ ...claimsOf(issuer), ...claims })
        .setProtectedHeader({ alg: "ES256", typ: "at+jwt", kid: state.signing.kid, ...header })
        .sign(key ?? state.signing.key.privateKey),
    async rotate(kid, options) {
      if (options?.keepsFormer !== true) state.published.clear();
      await publishKey(state, kid);
    },
    setMetadata(changes) {
      state.metadata = changes;
    },
    setAway(isAway) {
      state.isAway = isAway;
    },
    setIntrospection(introspect) {
      state.introspect = introspect;
    },
    setFeedTokenSeconds(seconds) {
      state.feedTokenSeconds = seconds;
    },
    async close() {
      feed.stop();
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      });
    },
  };
}

async function newKey() {
  return await generateKeyPair("ES256", { extractable: true });
}

/** As Latchkey writes them; the grant stands before the dot of `jti`. */
function claimsOf(issuer: string): JWTPayload {
  const now = Math.floor(systemPlatform.nowMs() / 1_000);
  return {
    iss: issuer,
    sub: "alice",
    aud: AUDIENCE,
    exp: now + 300,
    iat: now,
    jti: "sign-in-tag-0001grant001.token01",
    client_id: "shopWeb",
    scope: "orders:read orders:write",
    sid: "sign-in-tag-0001",
    auth_time: now - 60,
    acr: "urn:latchkey:password",
    amr: ["pwd"],
  };
}

function isClient(request: IncomingMessage): boolean {
  const encode = (value: string): string => new URLSearchParams([["", value]]).toString().slice(1);
  const credentials = Buffer.from(`${encode(BILLING_API.id)}:${encode(BILLING_API.secret)}`).toString("base64");
  return request.headers.authorization === `Basic ${credentials}`;
}
