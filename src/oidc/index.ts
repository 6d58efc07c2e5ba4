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
import type { Middleware } from "koa";
import type { Accounts } from "../accounts/index.ts";
import type { Audit } from "../audit/index.ts";
import type { Clients } from "../clients/index.ts";
import type { Config } from "../config/index.ts";
import { type Clock, type CookieSigner, epochSeconds, type Sealer } from "../core/index.ts";
import type { Logger } from "../observability/index.ts";
import type { Db, Redis } from "../storage/index.ts";
import {
  createDictionary,
  createPostgresStore,
  createProtocolState,
  createRedisStore,
  createSignInIndex,
  runInRequestScope,
  sweepPostgresStore,
} from "./adapter/index.ts";
import { createBrowserSessions } from "./browser-sessions.ts";
import { accountClientMetadata, grantLimitsOf, toMetadata } from "./configuration/clients.ts";
import { OFFLINE_MAX_SECONDS, sessionEndAt } from "./configuration/lifetimes.ts";
import { createConsents } from "./consents.ts";
import { ACCOUNT_CLIENT_ID } from "./identity.ts";
import { createInteractions } from "./interactions.ts";
import type { BrowserSessions, Interactions, ProtocolPages } from "./interactions-port.ts";
import { createSigningKeys } from "./keys/index.ts";
import { failFastOnRecords, failFastOnState } from "./fail-fast.ts";
import { allowFormPost } from "./form-post.ts";
import { createProvider } from "./provider.ts";
import { createClientDescriptions } from "./requesting-clients.ts";
import { createPushedRequests } from "./pushed-requests.ts";
import { createRestartTokens } from "./restarts.ts";
import { applyResponseRules, clearSessionCookie } from "./response-rules.ts";

export { ROUTES as PROTOCOL_ROUTES } from "./identity.ts";
export type * from "./interactions-port.ts";
export { interactionUrl, restartUrl } from "./restarts.ts";

export interface OidcDeps {
  readonly config: Config;
  readonly clock: Clock;
  readonly sealer: Sealer;
  readonly cookieSigner: CookieSigner;
  readonly db: Db;
  /** Where keys are made: the second of two nodes waits for the first longer than a request would. */
  readonly patientDb: Db;
  /** Where protocol state lies; Postgres when there is none. */
  readonly redis: Redis | undefined;
  readonly audit: Audit;
  readonly accounts: Accounts;
  readonly clients: Clients;
  readonly pages: ProtocolPages;
  readonly logger: Logger;
}

export interface Oidc {
  /** The Koa application that answers the protocol's routes; `use` puts a middleware in front of them. */
  readonly app: Koa;
  /** To stand in front of everything that reads or writes protocol state. */
  readonly requestScope: Middleware;
  readonly interactions: Interactions;
  readonly browserSessions: BrowserSessions;
}

/** What can be done with protocol state without a running server. */
export interface SignInsOfAccounts {
  endSignIns(accountId: string): Promise<void>;
  /** Deletes what has expired; returns how many things. */
  sweep(): Promise<number>;
}

type StateDeps = Pick<OidcDeps, "config" | "clock" | "db" | "redis" | "audit"> & { readonly clients: Clients };

function createState(deps: StateDeps) {
  const { config, clock, db, redis } = deps;
  // A grant given at the very end of a session lives on from there.
  const lifetimeSeconds = config.session.maxSeconds + OFFLINE_MAX_SECONDS;
  const accountClient = accountClientMetadata(config.issuer);
  const index = createSignInIndex({ db, clock, audit: deps.audit, lifetimeSeconds });
  const state = createProtocolState({
    store: failFastOnState(
      redis === undefined ? createPostgresStore({ db, clock }) : createRedisStore({ redis, clock }),
    ),
    dictionary: createDictionary({ db }),
    index,
    clock,
    sessionEndAt: (begunAt) => sessionEndAt(config.session, begunAt, epochSeconds(clock)),
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
  return { state, index };
}

/** Ends sign-ins of accounts and sweeps: all that the command line needs of the protocol. */
export function createSignInsOfAccounts(deps: StateDeps): SignInsOfAccounts {
  const { state, index } = createState(deps);
  return {
    endSignIns: (accountId) => state.endSignIns(accountId),
    async sweep() {
      const ofStore = deps.redis === undefined ? await sweepPostgresStore(deps) : 0;
      return ofStore + (await index.sweep());
    },
  };
}

export async function createOidc(given: OidcDeps): Promise<Oidc> {
  const deps = failFastOnRecords(given);
  const { config, clock, sealer, clients } = deps;
  const { state } = createState(deps);
  const consents = createConsents(deps);
  const restartTokens = createRestartTokens({ sealer, clock });
  const describeClient = createClientDescriptions({ clients, issuer: config.issuer, brandName: config.brand.name });
  const keys = await createSigningKeys({ ...deps, db: deps.patientDb }).load();
  const provider = createProvider({ ...deps, state, consents, restartTokens, describeClient, keys });
  const pushedRequests = createPushedRequests({ provider, state, clients, clock });
  applyResponseRules(provider, { issuer: config.issuer, logger: deps.logger });

  return {
    app: provider,
    requestScope: (ctx, next) =>
      runInRequestScope(async () => {
        await next();
        allowFormPost(ctx, deps.pages);
        await pushedRequests.endAnswered(ctx);
        await state.flush();
      }),
    interactions: createInteractions({
      provider,
      clients,
      consents,
      restartTokens,
      pushedRequests,
      clock,
      describeClient,
    }),
    browserSessions: createBrowserSessions({
      provider,
      accounts: deps.accounts,
      clearSessionCookie: (ctx) => clearSessionCookie(provider, ctx, config.issuer),
    }),
  };
}
