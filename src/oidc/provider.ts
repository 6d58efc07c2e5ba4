import { type Configuration, type ErrorOut, errors, type KoaContextWithOIDC, Provider } from "oidc-provider";
import type { Accounts } from "../accounts/index.ts";
import type { Config } from "../config/index.ts";
import { type Clock, type CookieSigner, epochSeconds, isAppError } from "../core/index.ts";
import { AUTH_METHODS, type Clients } from "../clients/index.ts";
import type { ProtocolState } from "./adapter/index.ts";
import { CLAIMS, findAccount } from "./configuration/claims.ts";
import { extraClientMetadata, refuseLongLivedAssertion } from "./configuration/clients.ts";
import { cookies } from "./configuration/cookies.ts";
import { ALGORITHMS, features } from "./configuration/features.ts";
import { discovery } from "./configuration/discovery.ts";
import { createInteractionPolicy } from "./configuration/interaction-policy.ts";
import { lifetimes } from "./configuration/lifetimes.ts";
import { PARAMETER_CHECKS } from "./configuration/request-limits.ts";
import { revokeGrantPolicy } from "./configuration/sign-out.ts";
import { sessionClaims, tokens } from "./configuration/tokens.ts";
import type { ExistingGrants } from "./grants.ts";
import { ROUTES } from "./identity.ts";
import type { IntrospectionPolicy } from "./introspection-policy.ts";
import type { ProtocolPages, RequestingClient } from "./interactions-port.ts";
import { replaceKeys } from "./internals.ts";
import type { KeyRing } from "./keys/index.ts";
import { ACR_VALUES } from "../mfa/index.ts";
import { leaveLogoutTokensToTheQueue } from "./logout-tokens.ts";
import type { RevocationLog } from "../sessions/index.ts";
import { asStoreFailure } from "../storage/index.ts";
import { useDirectPayloads } from "./model-payloads.ts";
import {
  useAtomicReplayDetection,
  useGrantsToEndRefreshTokens,
  useKnownClients,
  useOwnIdentifiers,
  useOwnSecretComparison,
} from "./models.ts";
import { useRevocationLog } from "./opaque-tokens.ts";
import { useReportedAcr } from "./asked-assurance.ts";
import { useRefreshGrant } from "./refresh-grant.ts";
import type { IsEnough } from "./sufficient-sessions.ts";
import { interactionUrl, restartUrl, type RestartTokens } from "./restarts.ts";

export interface ProviderDeps {
  readonly config: Config;
  readonly clock: Clock;
  readonly cookieSigner: CookieSigner;
  readonly accounts: Accounts;
  readonly clients: Clients;
  readonly existingGrants: ExistingGrants;
  readonly state: ProtocolState;
  readonly keyRing: Pick<KeyRing, "keys" | "follow">;
  readonly restartTokens: RestartTokens;
  readonly mayIntrospect: IntrospectionPolicy;
  readonly revocationLog: RevocationLog;
  readonly isEnough: IsEnough;
  readonly pages: ProtocolPages;
  readonly describeClient: (clientId: string | undefined) => Promise<RequestingClient | undefined>;
}

/** The protocol engine, configured. Each group of settings is a file in `configuration/`. */
export function createProvider(deps: ProviderDeps): Provider {
  const { config, clients, state, keyRing } = deps;
  const nowSeconds = (): number => epochSeconds(deps.clock);

  const provider = new Provider(config.issuer, {
    adapter: state.adapterFactory,
    jwks: { keys: [...keyRing.keys] },
    cookies: cookies(config.issuer, deps.cookieSigner),
    routes: ROUTES,
    features: features({ ...deps, issuer: config.issuer }),
    enabledJWA: ALGORITHMS,
    ttl: lifetimes(config, nowSeconds),
    clockTolerance: 30,

    findAccount: findAccount(deps.accounts, config.mfa.policy),
    claims: CLAIMS,
    scopes: ["openid", "offline_access"],
    acrValues: [...ACR_VALUES],
    discovery: discovery(config.issuer),
    subjectTypes: ["public"],

    clientAuthMethods: [...AUTH_METHODS],
    assertJwtClientAuthClaimsAndHeader: refuseLongLivedAssertion(nowSeconds),
    extraClientMetadata,
    clientBasedCORS: (_ctx, origin, client) => listOf(client["allowed_origins"]).includes(origin),
    clientDefaults: {
      grant_types: ["authorization_code"],
      response_types: ["code"],
      id_token_signed_response_alg: "RS256",
    },

    responseTypes: ["code"],
    extraParams: PARAMETER_CHECKS,
    pkce: { required: (_ctx, client) => client["require_pkce"] !== false },
    loadExistingGrant: (ctx) => deps.existingGrants.load(ctx),
    revokeGrantPolicy,
    ...tokens(config.mfa.policy),
    extraTokenClaims: sessionClaims(state),

    interactions: {
      policy: createInteractionPolicy(config.mfa.policy, deps.isEnough),
      url: (_ctx, interaction) => interactionUrl(interaction.uid, deps.restartTokens.issue(interaction)),
    },
    renderError: (ctx, out, error) => renderError(deps, ctx, { out, error }),
  } satisfies Configuration);

  const useKeys = (): void => replaceKeys(provider, keyRing.keys);
  useKeys();
  keyRing.follow(useKeys);
  const registered = state.adapterFactory("Client");
  useKnownClients(provider, async (clientId) => (await registered.find(clientId)) ?? undefined);
  useDirectPayloads(provider, nowSeconds);
  useOwnIdentifiers(provider);
  useOwnSecretComparison(provider, clients);
  useAtomicReplayDetection(provider, state, nowSeconds);
  useGrantsToEndRefreshTokens(provider);
  useRefreshGrant(provider, { state, limits: config, nowSeconds });
  useReportedAcr(provider);
  useRevocationLog(provider, deps.revocationLog);
  leaveLogoutTokensToTheQueue(provider);
  return provider;
}

async function renderError(
  deps: ProviderDeps,
  ctx: KoaContextWithOIDC,
  failure: { out: ErrorOut; error: Error },
): Promise<void> {
  const restartToken = typeof ctx.query["r"] === "string" ? ctx.query["r"] : "";
  const restart = deps.restartTokens.read(restartToken);
  const cause = asStoreFailure(failure.error);
  const isAway = isAppError(cause, "STORE_UNAVAILABLE");
  await deps.pages.renderError(ctx, {
    error: isAway ? "temporarily_unavailable" : failure.out.error,
    status: isAppError(cause) ? cause.status : ctx.status,
    cause,
    // Who sent the person is in the store that is away.
    client: isAway ? undefined : await deps.describeClient(ctx.oidc?.client?.clientId ?? restart?.clientId),
    restartUrl: restart === undefined ? sameRequest(ctx, failure.error) : restartUrl(restartToken),
  });
}

/** A session that ended while it was used: asked again, the same request leads to the sign-in page. */
function sameRequest(ctx: KoaContextWithOIDC, error: Error): string | undefined {
  const isOver = error instanceof errors.SessionNotFound || isAppError(error, "INTERACTION_EXPIRED");
  return isOver && ctx.method === "GET" && ctx.path === ROUTES.authorization ? ctx.url : undefined;
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
