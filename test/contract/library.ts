/**
 * Plays oidc-provider: calls the adapter as the library does, request by request, with payloads of the library's shape.
 */
import { createAudit } from "../../src/audit/index.ts";
import type { Adapter, AdapterPayload } from "oidc-provider";
import { expect } from "vitest";
import { type Clock, epochSeconds, randomOctets } from "../../src/core/index.ts";
import {
  newGrantId,
  newRefreshFamily,
  newTag,
  newTaggedSecret,
  nextInRefreshFamily,
  NONCE_BYTES,
  parseRefreshToken,
} from "../../src/oidc/adapter/identifiers.ts";
import {
  beginRefresh,
  completeRefresh,
  currentRequestScope,
  type GrantLimits,
  createDictionary,
  createProtocolState,
  createProtocolSessions,
  newSuccessor,
  type ProtocolState,
  type ProtocolStore,
  runInRequestScope,
} from "../../src/oidc/adapter/index.ts";
import { forgetConsent } from "../../src/oidc/index.ts";
import { createRevocations, createSessions, type Sessions, type SessionsDeps } from "../../src/sessions/index.ts";
import type { Ground, StoreConnection } from "./grounds.ts";

export const SESSION_SECONDS = 14 * 24 * 60 * 60;
export const REPLAY_SECONDS = 30;
const INDEX_SECONDS = 30 * 24 * 60 * 60;

/** One node of a deployment: a protocol state of its own, with its own caches, over its own connection. */
export interface Node {
  readonly state: ProtocolState;
  readonly sessions: Sessions;
  readonly clock: Clock;
  model(name: string): Adapter;
}

export interface NodeOptions {
  /** Takes the place of the connection's. */
  readonly store?: ProtocolStore;
  readonly sessionSeconds?: number;
  readonly session?: Partial<SessionsDeps["session"]>;
  readonly revocations?: SessionsDeps["revocations"];
  readonly onSessionEnd?: SessionsDeps["onSessionEnd"];
  /** Takes the place of the index's own. */
  readonly index?: Partial<Sessions>;
  readonly replaySeconds?: number;
  readonly findGrantLimits?: (clientId: string) => Promise<GrantLimits | undefined>;
}

export function createNode(ground: Ground, connection: StoreConnection, options: NodeOptions = {}): Node {
  const { store = connection.store, sessionSeconds = SESSION_SECONDS } = options;
  const { clock } = ground;
  const { db } = connection;
  const sessions = createSessions({
    db,
    clock,
    audit: createAudit({ db, clock }),
    revocations: options.revocations ?? createRevocations({ db, clock }),
    protocol: createProtocolSessions({
      store,
      clock,
      dictionary: createDictionary({ db }),
      idleSeconds: SESSION_SECONDS,
    }),
    session: {
      idleSeconds: SESSION_SECONDS,
      maxSeconds: SESSION_SECONDS,
      maxPerAccount: 0,
      limitPolicy: "refuse",
      ...options.session,
    },
    lifetimeSeconds: INDEX_SECONDS,
    forgetConsent,
    onSessionEnd: options.onSessionEnd ?? (async () => {}),
  });
  const state = createProtocolState({
    store,
    clock,
    dictionary: createDictionary({ db }),
    sessions: { ...sessions, ...options.index },
    replaySeconds: options.replaySeconds ?? REPLAY_SECONDS,
    sessionEndAt: () => epochSeconds(clock) + sessionSeconds,
    findGrantLimits:
      options.findGrantLimits ??
      (async () => ({ since: 0, identityScopes: ["openid", "profile", "email", "offline_access"] })),
    findClientMetadata: async () => undefined,
  });
  const models = new Map<string, Adapter>();
  return {
    state,
    sessions,
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

/** A successor as somebody would make it up who has the token and not the store. */
export function successorOf(refreshToken: string): string {
  const parts = parseRefreshToken(refreshToken);
  if (parts === undefined) throw new Error("not a refresh token");
  return nextInRefreshFamily(parts, randomOctets(NONCE_BYTES), "");
}

/** What a client asks for and by which key it proves who it is, in one text. */
export const BINDING = "[null]";

/** The library's steps of a refresh, up to the new refresh token. `loaded` is called when all has been looked up. */
export async function rotate(
  node: Node,
  presented: string,
  loaded: () => Promise<void> = async () => {},
  changed: Partial<AdapterPayload> = {},
): Promise<string> {
  return request(node, () => {
    beginRefresh({ binding: BINDING, isReuse: false });
    return rotateWithin(node, presented, { loaded, changed });
  });
}

interface RotationOptions {
  readonly loaded?: (() => Promise<void>) | undefined;
  readonly changed?: Partial<AdapterPayload>;
}

async function rotateWithin(node: Node, presented: string, { loaded, changed }: RotationOptions): Promise<string> {
  const refreshTokens = node.model("RefreshToken");
  const found = await refreshTokens.find(presented);
  if (found === undefined || found.consumed !== undefined) throw new Error("not usable at all");
  await node.model("Session").findByUid(found.sessionUid ?? "");
  await node.model("Grant").find(found.grantId ?? "");
  await loaded?.();
  await refreshTokens.consume(presented);
  const parts = parseRefreshToken(presented);
  if (parts === undefined) throw new Error("not a refresh token");
  const successor = newSuccessor(parts);
  const { consumed: _consumed, ...rest } = found;
  const iat = epochSeconds(node.clock);
  const payload = { ...rest, iat, jti: successor, rotations: (found.rotations ?? 0) + 1, ...changed };
  await refreshTokens.upsert(successor, payload, SESSION_SECONDS);
  const underWay = currentRequestScope()?.refresh;
  if (underWay !== undefined) await completeRefresh(underWay);
  return successor;
}

export interface RefreshOptions extends RotationOptions {
  readonly binding?: string;
}

/**
 * A refresh with all that `src/oidc/refresh-grant.ts` does about it: what it answers with, or why it does not. As there,
 * reuse makes the library destroy the grant.
 */
export async function refresh(node: Node, presented: string, options: RefreshOptions = {}): Promise<string> {
  const { binding = BINDING } = options;
  return request(node, async () => {
    const presentation = await node.state.judgeRefresh(presented, binding);
    const underWay = beginRefresh({ binding, isReuse: presentation.type === "reuse" });
    if (presentation.type === "retry") {
      await options.loaded?.();
      return presentation.successor;
    }
    if (presentation.type === "reuse") await endGrantOf(node, presented);
    if (presentation.type !== "living") throw new Error(presentation.type);
    try {
      return await rotateWithin(node, presented, options);
    } catch (error) {
      const lost = underWay.isLost ? await node.state.judgeRefresh(presented, binding) : undefined;
      if (lost?.type === "retry") return lost.successor;
      throw error;
    }
  });
}

/** A use of a token that does not rotate: it is written again, with an end that is `seconds` later than it was. */
export async function prolong(node: Node, token: string, seconds: number): Promise<void> {
  await request(node, async () => {
    const found = await node.model("RefreshToken").find(token);
    if (found === undefined || found.consumed !== undefined) throw new Error("not usable at all");
    const iat = epochSeconds(node.clock);
    await node
      .model("RefreshToken")
      .upsert(token, { ...found, iat, exp: iat + SESSION_SECONDS + seconds }, SESSION_SECONDS);
  });
}

async function endGrantOf(node: Node, presented: string): Promise<void> {
  const found = await node.model("RefreshToken").find(presented);
  await Promise.all([node.model("RefreshToken").destroy(presented), node.model("Grant").destroy(found?.grantId ?? "")]);
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
