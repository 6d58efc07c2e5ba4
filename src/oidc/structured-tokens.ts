import type { Context } from "koa";
import { errors, type KoaContextWithOIDC, type Provider } from "oidc-provider";
import type { Audit } from "../audit/index.ts";
import { type Db, guardStore } from "../storage/index.ts";
import {
  type AccessTokenClaims,
  type AccessTokenVerifier,
  type TokenStanding,
  type VerifiedAccessToken,
} from "./access-tokens.ts";
import type { IntrospectionPolicy } from "./introspection-policy.ts";
import { revocationEvent, type RevokedToken, type TokenRevocation } from "./token-revocation.ts";

export interface StructuredTokensDeps {
  readonly db: Db;
  readonly audit: Audit;
  readonly verifyAccessToken: AccessTokenVerifier;
  readonly isAlive: TokenStanding;
  readonly mayIntrospect: IntrospectionPolicy;
  readonly revocation: Pick<TokenRevocation, "revokeAccessToken">;
}

/**
 * Introspection (RFC 7662) and revocation (RFC 7009) of JWT access tokens, which the library refuses.
 *
 * It refuses them as `unsupported_token_type` once it knows the client, so that what follows here asks only what the
 * client may do. `completeAnswer` is to be called when the library has answered, before the answer leaves.
 */
export function createStructuredTokens(provider: Provider, deps: StructuredTokensDeps) {
  const refused = new WeakSet<object>();
  const remember = (ctx: KoaContextWithOIDC, error: errors.OIDCProviderError): void => {
    if (isAboutJwt(error)) refused.add(ctx);
  };
  provider.on("introspection.error", remember);
  provider.on("revocation.error", remember);

  async function introspect(ctx: KoaContextWithOIDC, token: VerifiedAccessToken | undefined): Promise<object> {
    const inactive = { active: false };
    const askingClientId = ctx.oidc.client?.clientId;
    if (token === undefined || askingClientId === undefined) return inactive;
    const { client_id: clientId, aud: audience } = token.claims;
    if (!(await deps.mayIntrospect(askingClientId, { clientId, audience }))) return inactive;
    return (await deps.isAlive(token)) ? describe(token.claims) : inactive;
  }

  /** Of another client's token, of garbage and of what is over already, the answer says nothing (RFC 7009, 2.2). */
  async function revoke(ctx: KoaContextWithOIDC, token: VerifiedAccessToken | undefined): Promise<void> {
    if (token === undefined || token.claims.client_id !== ctx.oidc.client?.clientId) return;
    if (await deps.isAlive(token)) await deps.revocation.revokeAccessToken(token.claims, requestIdOf(ctx));
  }

  async function answerJwt(ctx: KoaContextWithOIDC): Promise<void> {
    const token = await deps.verifyAccessToken(String(ctx.oidc.params?.["token"]));
    ctx.remove("Content-Type");
    if (ctx.oidc.route === "introspection") ctx.body = await introspect(ctx, token);
    else {
      await revoke(ctx, token);
      ctx.body = "";
    }
    ctx.status = 200;
  }

  async function recordRevocation(ctx: KoaContextWithOIDC): Promise<void> {
    const revoked = ctx.oidc.route === "revocation" && ctx.status === 200 ? revokedByLibrary(ctx) : undefined;
    if (revoked === undefined) return;
    await guardStore(() => deps.audit.append(deps.db, { ...revocationEvent(revoked), requestId: requestIdOf(ctx) }));
  }

  return {
    async completeAnswer(given: Context): Promise<void> {
      if ((given as Partial<KoaContextWithOIDC>).oidc === undefined) return;
      const ctx = given as KoaContextWithOIDC;
      try {
        await (refused.has(ctx) ? answerJwt(ctx) : recordRevocation(ctx));
      } catch (error) {
        // As the library does with what fails within it; `response-rules.ts` makes 503 of a store that is away.
        ctx.status = 500;
        ctx.body = { error: "server_error", error_description: "something went wrong" };
        provider.emit("server_error", ctx, error instanceof Error ? error : new Error(String(error)));
      }
    },
  };
}

/** The library's refusal of a JWT, which is not the last word here. */
export function isAboutJwt(error: errors.OIDCProviderError): boolean {
  return error instanceof errors.UnsupportedTokenType;
}

/** @see RFC 7662, section 2.2 */
function describe(claims: AccessTokenClaims): object {
  return { active: true, ...claims, token_type: claims.cnf === undefined ? "Bearer" : "DPoP" };
}

function revokedByLibrary({ oidc }: KoaContextWithOIDC): RevokedToken | undefined {
  const { RefreshToken, AccessToken, ClientCredentials } = oidc.entities;
  const token = RefreshToken ?? AccessToken ?? ClientCredentials;
  // It is found before it is known whose it is.
  if (token === undefined || token.clientId !== oidc.client?.clientId) return undefined;
  const kind = RefreshToken === undefined ? "opaque_access_token" : "refresh_token";
  return { kind, clientId: token.clientId, accountId: "accountId" in token ? token.accountId : undefined };
}

function requestIdOf(ctx: Context): string {
  return String(ctx.state["requestId"]);
}
