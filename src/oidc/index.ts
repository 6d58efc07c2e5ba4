/**
 * The protocol: OpenID Connect and OAuth 2, and the only place that knows oidc-provider.
 *
 * `provider.ts` is the engine's configuration as a list, `adapter/` where its state lies, `keys/` what signs,
 * `models.ts` what we changed in it; `interactions-port.ts` is how the hosted pages reach it.
 *
 * Invariants: a code, a refresh token and a pushed request work once; a token is dead without its grant, and unless
 * the person granted `offline_access` without its session; nothing usable lies in the store; no request is answered
 * while a write of it still waits.
 */
import type Koa from "koa";
import type { Context, Middleware } from "koa";
import type { Accounts, Throttle } from "../accounts/index.ts";
import type { Audit } from "../audit/index.ts";
import type { Clients } from "../clients/index.ts";
import type { Config } from "../config/index.ts";
import { type Clock, type CookieSigner, epochSeconds, type Sealer } from "../core/index.ts";
import type { Logger } from "../observability/index.ts";
import type { AuthenticateReader, ProtocolSessions, RevocationLog, Revocations, Sessions } from "../sessions/index.ts";
import type { Db, Redis } from "../storage/index.ts";
import {
  createDictionary,
  createPostgresStore,
  createProtocolSessions,
  createProtocolState,
  createRedisStore,
  type ProtocolState,
  type ProtocolStore,
  type RequestOrigin,
  runInRequestScope,
  sweepPostgresStore,
} from "./adapter/index.ts";
import { requiredByPolicy } from "./asked-assurance.ts";
import { createAllowedClients } from "./allowed-clients.ts";
import { createAccessTokenVerifier, createTokenStanding } from "./access-tokens.ts";
import { letGoWhenAnswered } from "./answered-contexts.ts";
import { createBrowserSessions } from "./browser-sessions.ts";
import { accountClientMetadata, grantLimitsOf, toMetadata } from "./configuration/clients.ts";
import { sessionEndAt } from "./configuration/lifetimes.ts";
import { throttleClientAuthentication } from "./client-authentication.ts";
import { createConsents } from "./consents.ts";
import { ACCOUNT_CLIENT_ID } from "./identity.ts";
import { createExistingGrants } from "./grants.ts";
import { createInteractions } from "./interactions.ts";
import type { AllowedClients, BrowserSessions, Interactions, ProtocolPages } from "./interactions-port.ts";
import { createIntrospectionPolicy } from "./introspection-policy.ts";
import { createPublishedKeys, type KeyRing } from "./keys/index.ts";
import { type InSpan, nameGrants } from "./grant-spans.ts";
import { failFastOnRecords, failFastOnState } from "./fail-fast.ts";
import { allowFormPost } from "./form-post.ts";
import { createLogoutTokens, type PrepareLogout } from "./logout-tokens.ts";
import { createProvider } from "./provider.ts";
import { createClientDescriptions } from "./requesting-clients.ts";
import { observeAnswer, type ProtocolObserver } from "./protocol-observer.ts";
import { createPushedRequests } from "./pushed-requests.ts";
import { createRestartTokens } from "./restarts.ts";
import { applyResponseRules, clearSessionCookie, setSessionCookie } from "./response-rules.ts";
import { createFeedReaders } from "./revocation-feed-readers.ts";
import { type AsksForFactor, createSufficiency } from "./sufficient-sessions.ts";
import { createStructuredTokens } from "./structured-tokens.ts";
import { confirmKeys } from "./confirm-keys.ts";
import { createTokenRevocation, type RevokedToken, type TokenRevocation } from "./token-revocation.ts";

export { currentUserAgent } from "./current-user-agent.ts";
export { revocationFeedUrl, ROUTES as PROTOCOL_ROUTES } from "./identity.ts";
export { isPublished } from "./protocol-routes.ts";
export type * from "./interactions-port.ts";
export { signInSecondsMax } from "./configuration/lifetimes.ts";
export { forgetConsent } from "./consents.ts";
export {
  createKeyRing,
  createSigningKeyCommands,
  type ExternalKeys,
  type KeyRing,
  type KeyRotation,
  type KeyStanding,
  type KeySummary,
  keyTimesOf,
  listKeyStandings,
  type SigningKeyCommands,
} from "./keys/index.ts";
export { estimateSignIns } from "./adapter/index.ts";
export { readLibraryVersion } from "./library-version.ts";
export type { ProtocolObserver, RefreshOutcome } from "./protocol-observer.ts";
export { interactionUrl, restartUrl } from "./restarts.ts";
export type { RevokedToken } from "./token-revocation.ts";

export interface OidcDeps {
  readonly config: Config;
  readonly clock: Clock;
  readonly sealer: Sealer;
  readonly cookieSigner: CookieSigner;
  /** What signs; started. */
  readonly keyRing: KeyRing;
  readonly db: Db;
  /** Where protocol state lies; Postgres when there is none. */
  readonly redis: Redis | undefined;
  readonly audit: Audit;
  readonly accounts: Accounts;
  readonly throttle: Pick<Throttle, "countClientFailure">;
  readonly clients: Clients;
  readonly revocations: Revocations;
  readonly revocationLog: RevocationLog;
  readonly sessions: Sessions;
  /** Where a request comes from, resolved behind trusted proxies only, and its id. */
  readonly originOf: (ctx: Context) => { readonly address: string; readonly requestId: string };
  readonly asksForFactor: AsksForFactor;
  readonly pages: ProtocolPages;
  readonly logger: Logger;
  readonly observer?: ProtocolObserver | undefined;
  /** Runs a part of a request under a name of ours, for traces; nothing when absent. */
  readonly inSpan?: InSpan | undefined;
}

export interface Oidc {
  /** The Koa application that answers the protocol's routes; `use` puts a middleware in front of them. */
  readonly app: Koa;
  /** To stand in front of the protocol, behind what logs and counts. */
  readonly responseRules: Middleware;
  /** To stand in front of everything that reads or writes protocol state. */
  readonly requestScope: Middleware;
  readonly interactions: Interactions;
  readonly browserSessions: BrowserSessions;
  readonly allowedClients: AllowedClients;
  /** Who may read the feed of revocations. */
  readonly authenticateReader: AuthenticateReader;
  /** The logout token that tells a client of a session that ended, and where it goes. */
  readonly prepareLogout: PrepareLogout;
}

/** What can be done with protocol state without a running server. */
export interface ProtocolCommands {
  /**
   * Revokes any token of ours that is alive, a refresh token with all that hangs on its grant; `undefined` for others.
   *
   * @throws AppError STORE_UNAVAILABLE
   */
  revokeToken(token: string): Promise<RevokedToken | undefined>;
  /** Deletes what has expired; returns how many things. */
  sweep(): Promise<number>;
}

type StateDeps = Pick<OidcDeps, "config" | "clock" | "db" | "redis" | "audit" | "revocations" | "sessions"> & {
  readonly clients: Clients;
};

function createState(deps: StateDeps) {
  const { config, clock, db } = deps;
  const accountClient = accountClientMetadata(config.issuer);
  const state = createProtocolState({
    store: createStore(deps),
    dictionary: createDictionary({ db }),
    sessions: deps.sessions,
    clock,
    sessionEndAt: (begunAt) => sessionEndAt(config.session, begunAt, epochSeconds(clock)),
    replaySeconds: config.refresh.replaySeconds,
    async findGrantLimits(clientId) {
      if (clientId === ACCOUNT_CLIENT_ID) return { since: 0, identityScopes: ["openid"] };
      const client = await deps.clients.findClient(clientId);
      return client && grantLimitsOf(client);
    },
    async findClientMetadata(clientId) {
      if (clientId === ACCOUNT_CLIENT_ID) return accountClient;
      const client = await deps.clients.findClient(clientId);
      return client && toMetadata(client);
    },
  });
  return { state };
}

function createStore({ clock, db, redis }: Pick<OidcDeps, "clock" | "db" | "redis">): ProtocolStore {
  return failFastOnState(redis === undefined ? createPostgresStore({ db, clock }) : createRedisStore({ redis, clock }));
}

/** What the protocol store has of sign-ins, for `sessions`. */
export function createProtocolSessionsOf(deps: Pick<OidcDeps, "config" | "clock" | "db" | "redis">): ProtocolSessions {
  const dictionary = createDictionary(deps);
  const { idleSeconds } = deps.config.session;
  return createProtocolSessions({ store: createStore(deps), dictionary, clock: deps.clock, idleSeconds });
}

function createRevocationOfTokens(deps: StateDeps, state: ProtocolState) {
  const { db, clock, audit, revocations } = deps;
  const { issuer } = deps.config;
  const keys = createPublishedKeys({ db, clock });
  const verifyAccessToken = createAccessTokenVerifier({ issuer, clock, keys });
  const revocation: TokenRevocation = createTokenRevocation({ db, audit, revocations, state, verifyAccessToken });
  return { verifyAccessToken, revocation };
}

/** Revokes tokens and sweeps: all that the command line needs of the protocol. */
export function createProtocolCommands(deps: StateDeps): ProtocolCommands {
  const { state } = createState(deps);
  const { revocation } = createRevocationOfTokens(deps, state);
  return {
    revokeToken: (token) => revocation.revokeToken(token),
    sweep: async () => (deps.redis === undefined ? sweepPostgresStore(deps) : 0),
  };
}

export function createOidc(given: OidcDeps): Oidc {
  const deps = failFastOnRecords(given);
  const { config, clock, sealer, clients, keyRing } = deps;
  const { state } = createState(deps);
  const consents = createConsents(deps);
  const existingGrants = createExistingGrants({ clients, consents });
  const restartTokens = createRestartTokens({ sealer, clock });
  const describeClient = createClientDescriptions({ clients, issuer: config.issuer, brandName: config.brand.name });
  const mayIntrospect = createIntrospectionPolicy(clients);
  const isEnough = createSufficiency(deps.asksForFactor);
  const provider = createProvider({
    ...deps,
    state,
    existingGrants,
    restartTokens,
    describeClient,
    mayIntrospect,
    isEnough,
  });
  if (deps.inSpan !== undefined) nameGrants(provider, deps.inSpan);
  const pushedRequests = createPushedRequests({ provider, state, clients, clock });
  provider.use(letGoWhenAnswered);
  const responseRules = applyResponseRules(provider, deps);
  const { verifyAccessToken, revocation } = createRevocationOfTokens(deps, state);
  const isAlive = createTokenStanding({ ...deps, log: deps.revocationLog });
  const tokens = { ...deps, verifyAccessToken, isAlive, mayIntrospect, revocation };
  const clientAuthentication = throttleClientAuthentication(provider, deps);
  const structuredTokens = createStructuredTokens(provider, tokens);

  return {
    app: provider,
    responseRules,
    requestScope: (ctx, next) =>
      runInRequestScope(
        async () => {
          if (!(await confirmKeys(provider, ctx, keyRing))) return;
          await next();
          allowFormPost(ctx, deps.pages);
          await clientAuthentication.completeAnswer(ctx);
          await structuredTokens.completeAnswer(ctx);
          await pushedRequests.endAnswered(ctx);
          await state.flush();
          await existingGrants.endWithdrawn(ctx);
          if (deps.observer !== undefined) observeAnswer(deps.observer, ctx);
        },
        originOf(deps, ctx),
      ),
    interactions: createInteractions({
      provider,
      clients,
      consents,
      restartTokens,
      pushedRequests,
      sessions: deps.sessions,
      clock,
      describeClient,
    }),
    prepareLogout: createLogoutTokens(provider),
    browserSessions: createBrowserSessions({
      provider,
      accounts: deps.accounts,
      isEnough: (ctx, session) => isEnough(ctx, session, requiredByPolicy(config.mfa.policy)),
      clock,
      setSessionCookie: (ctx, session) => setSessionCookie(provider, ctx, session),
      clearSessionCookie: (ctx) => clearSessionCookie(provider, ctx),
    }),
    allowedClients: createAllowedClients({ clients, consents, describeClient }),
    authenticateReader: createFeedReaders({ ...tokens, issuer: config.issuer }),
  };
}

function originOf(deps: Pick<OidcDeps, "originOf">, ctx: Context): RequestOrigin {
  return { ...deps.originOf(ctx), userAgent: ctx.get("user-agent") };
}
