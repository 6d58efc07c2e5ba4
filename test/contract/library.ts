/**
 * Plays oidc-provider: calls the adapter as the library does, request by request, with payloads of the library's shape.
 */
import { createAudit } from "../../src/audit/index.ts";
import type { Adapter, AdapterPayload } from "oidc-provider";
import { expect } from "vitest";
import { type Clock, epochSeconds } from "../../src/core/index.ts";
import {
  newGrantId,
  newRefreshFamily,
  newTag,
  newTaggedSecret,
  nextInRefreshFamily,
  parseRefreshToken,
} from "../../src/oidc/adapter/identifiers.ts";
import {
  type GrantLimits,
  createDictionary,
  createProtocolState,
  createSignInIndex,
  type ProtocolState,
  type ProtocolStore,
  runInRequestScope,
} from "../../src/oidc/adapter/index.ts";
import type { Ground, StoreConnection } from "./grounds.ts";

export const SESSION_SECONDS = 14 * 24 * 60 * 60;
const INDEX_SECONDS = 30 * 24 * 60 * 60;

/** One node of a deployment: a protocol state of its own, with its own caches, over its own connection. */
export interface Node {
  readonly state: ProtocolState;
  readonly clock: Clock;
  model(name: string): Adapter;
}

export interface NodeOptions {
  /** Takes the place of the connection's. */
  readonly store?: ProtocolStore;
  readonly sessionSeconds?: number;
  readonly findGrantLimits?: (clientId: string) => Promise<GrantLimits | undefined>;
}

export function createNode(ground: Ground, connection: StoreConnection, options: NodeOptions = {}): Node {
  const { store = connection.store, sessionSeconds = SESSION_SECONDS } = options;
  const { clock } = ground;
  const { db } = connection;
  const state = createProtocolState({
    store,
    clock,
    dictionary: createDictionary({ db }),
    index: createSignInIndex({ db, clock, audit: createAudit({ db, clock }), lifetimeSeconds: INDEX_SECONDS }),
    sessionEndAt: () => epochSeconds(clock) + sessionSeconds,
    findGrantLimits:
      options.findGrantLimits ??
      (async () => ({ since: 0, identityScopes: ["openid", "profile", "email", "offline_access"] })),
    findClientMetadata: async () => undefined,
  });
  const models = new Map<string, Adapter>();
  return {
    state,
    clock,
    model(name) {
      const model = models.get(name) ?? state.adapterFactory(name);
      models.set(name, model);
      return model;
    },
  };
}

/** What one HTTP request does: within a scope of its own, and with a flush before the answer leaves. */
export function request<Result>(node: Node, run: () => Promise<Result>): Promise<Result> {
  return runInRequestScope(async () => {
    const result = await run();
    await node.state.flush();
    return result;
  });
}

export interface SignIn {
  readonly tag: string;
  readonly sessionId: string;
  readonly accountId: string;
  readonly grantIds: Readonly<Record<string, string>>;
}

export interface SignInOptions {
  readonly accountId: string;
  readonly clientIds: readonly string[];
  /** Clients whose grant outlives the sign-out (`offline_access`). */
  readonly persistent?: readonly string[];
  readonly lifetimeSeconds?: number;
}

/** A person signs in and lets the clients in, all in one request. */
export async function signIn(node: Node, options: SignInOptions): Promise<SignIn> {
  const tag = newTag();
  const { accountId, lifetimeSeconds = SESSION_SECONDS } = options;
  const grantIds = Object.fromEntries(options.clientIds.map((clientId) => [clientId, newGrantId(tag)]));
  const made = { tag, sessionId: newTaggedSecret(tag), accountId, grantIds };
  const authorizations = Object.entries(grantIds).map(([clientId, grantId]) => [
    clientId,
    { sid: tag, grantId, ...(options.persistent?.includes(clientId) ? { persistsLogout: true } : {}) },
  ]);
  await request(node, async () => {
    for (const [clientId, grantId] of Object.entries(grantIds)) {
      await node.model("Grant").upsert(grantId, grantPayload(node, made, clientId, lifetimeSeconds), lifetimeSeconds);
    }
    const payload = {
      ...sessionPayload(node, made, lifetimeSeconds),
      authorizations: Object.fromEntries(authorizations),
    };
    await node.model("Session").upsert(made.sessionId, payload, lifetimeSeconds);
  });
  return made;
}

function times(node: Node, lifetimeSeconds: number): { iat: number; exp: number } {
  const iat = epochSeconds(node.clock);
  return { iat, exp: iat + lifetimeSeconds };
}

export function sessionPayload(node: Node, of: SignIn, lifetimeSeconds = SESSION_SECONDS): AdapterPayload {
  const { iat, exp } = times(node, lifetimeSeconds);
  return {
    kind: "Session",
    jti: of.sessionId,
    uid: of.tag,
    iat,
    exp,
    accountId: of.accountId,
    loginTs: iat,
    acr: "urn:example:acr:one-factor",
    amr: ["pwd"],
    authorizations: {},
  };
}

export function grantPayload(
  node: Node,
  of: SignIn,
  clientId: string,
  lifetimeSeconds = SESSION_SECONDS,
): AdapterPayload {
  return {
    ...times(node, lifetimeSeconds),
    kind: "Grant",
    jti: of.grantIds[clientId] ?? "",
    accountId: of.accountId,
    clientId,
    openid: { scope: "openid profile email" },
    resources: { "https://billing.example.com": "invoices:read invoices:write" },
  };
}

export function codePayload(node: Node, of: SignIn, clientId: string, lifetimeSeconds = 60): AdapterPayload {
  return {
    ...times(node, lifetimeSeconds),
    kind: "AuthorizationCode",
    accountId: of.accountId,
    acr: "urn:example:acr:one-factor",
    amr: ["pwd"],
    authTime: epochSeconds(node.clock),
    clientId,
    codeChallenge: "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
    codeChallengeMethod: "S256",
    expiresWithSession: true,
    grantId: of.grantIds[clientId] ?? "",
    nonce: "n-0S6_WzA2Mj",
    redirectUri: "https://shop.example.com/callback",
    resource: "https://billing.example.com",
    scope: "openid profile email",
    sessionUid: of.tag,
    sid: of.tag,
  };
}

export function refreshTokenPayload(
  node: Node,
  of: SignIn,
  clientId: string,
  lifetimeSeconds = SESSION_SECONDS,
): AdapterPayload {
  const { iat, exp } = times(node, lifetimeSeconds);
  return {
    kind: "RefreshToken",
    iat,
    exp,
    iiat: iat,
    accountId: of.accountId,
    acr: "urn:example:acr:one-factor",
    amr: ["pwd"],
    authTime: iat,
    clientId,
    expiresWithSession: true,
    grantId: of.grantIds[clientId] ?? "",
    gty: "authorization_code",
    resource: "https://billing.example.com",
    scope: "openid profile email",
    sessionUid: of.tag,
    sid: of.tag,
  };
}

/** The first refresh token of a family, as the exchange of a code issues it. */
export async function issueRefreshToken(
  node: Node,
  of: SignIn,
  clientId: string,
  changed: Partial<AdapterPayload> = {},
): Promise<string> {
  const id = newRefreshFamily(of.tag);
  const payload = { ...refreshTokenPayload(node, of, clientId), jti: id, ...changed };
  await request(node, () => node.model("RefreshToken").upsert(id, payload, SESSION_SECONDS));
  return id;
}

export function successorOf(refreshToken: string): string {
  const parts = parseRefreshToken(refreshToken);
  if (parts === undefined) throw new Error("not a refresh token");
  return nextInRefreshFamily(parts);
}

/** The library's steps of a refresh, up to the new refresh token. `loaded` is called when all has been looked up. */
export async function rotate(
  node: Node,
  presented: string,
  loaded: () => Promise<void> = async () => {},
  changed: Partial<AdapterPayload> = {},
): Promise<string> {
  return request(node, async () => {
    const refreshTokens = node.model("RefreshToken");
    const found = await refreshTokens.find(presented);
    if (found === undefined || found.consumed !== undefined) throw new Error("not usable at all");
    await node.model("Session").findByUid(found.sessionUid ?? "");
    await node.model("Grant").find(found.grantId ?? "");
    await loaded();
    await refreshTokens.consume(presented);
    const successor = successorOf(presented);
    const { consumed: _consumed, ...rest } = found;
    const payload = { ...rest, jti: successor, rotations: (found.rotations ?? 0) + 1, ...changed };
    await refreshTokens.upsert(successor, payload, SESSION_SECONDS);
    return successor;
  });
}

/** Holds everybody who arrives until `expected` have. */
export function createBarrier(expected: number): () => Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  let arrived = 0;
  return async () => {
    arrived += 1;
    if (arrived === expected) resolve();
    await promise;
  };
}

export function fulfilledOf<Result>(results: readonly PromiseSettledResult<Result>[]): Result[] {
  return results.flatMap((result) => (result.status === "fulfilled" ? [result.value] : []));
}

/** Checks that everybody who failed was told so in the protocol's terms. */
export function expectRefusals(results: readonly PromiseSettledResult<unknown>[], name: string): void {
  const names = results.flatMap((result) => (result.status === "rejected" ? [(result.reason as Error).name] : []));
  expect([...new Set(names)]).toEqual(names.length === 0 ? [] : [name]);
}
