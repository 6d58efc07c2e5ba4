import { text } from "node:stream/consumers";
import { exportJWK, generateKeyPair } from "jose";
import { Redis } from "ioredis";
import type { Context, Next } from "koa";
import { type Configuration, errors, type KoaContextWithOIDC, Provider } from "oidc-provider";
import { z } from "zod";
import { accountIdOf, billingApi, IDENTITY_SCOPES, ordersResource, PASSWORD_ACR, shopWeb } from "../cast.ts";
import { createCustomaryAdapter } from "./adapter.ts";

const HOUR_SECONDS = 3600;
const FORTNIGHT_SECONDS = 14 * 24 * HOUR_SECONDS;
const ACCESS_TOKEN_SECONDS = 600;

export const customaryOptions = z.object({
  issuer: z.string(),
  redisUrl: z.string(),
  /** Of `billing-api`. */
  clientSecret: z.string(),
  cookieSecret: z.string(),
});

export type CustomaryOptions = z.infer<typeof customaryOptions>;

/** Bare oidc-provider as its documentation leads to: clients in the configuration, accounts in memory. */
export async function createCustomaryProvider(options: CustomaryOptions): Promise<Provider> {
  const redis = new Redis(options.redisUrl);
  const provider = new Provider(options.issuer, {
    adapter: (model) => createCustomaryAdapter(redis, model),
    ...createClients(options.clientSecret),
    ...createLifetimes(),
    jwks: { keys: [await generateSigningKey("ES256"), await generateSigningKey("RS256")] },
    cookies: { keys: [options.cookieSecret] },
    claims: { openid: ["sub", "acr", "amr"], profile: ["name"], email: ["email", "email_verified"] },
    acrValues: [PASSWORD_ACR],
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      introspection: { enabled: true },
      revocation: { enabled: true },
      resourceIndicators: { enabled: true, getResourceServerInfo },
    },
    findAccount: (_ctx, accountId) => ({ accountId, claims: () => claimsOf(accountId) }),
    // Refresh tokens that live and die with the session, as Latchkey issues them.
    issueRefreshToken: (_ctx, client) => client.grantTypeAllowed("refresh_token"),
    expiresWithSession: () => true,
    rotateRefreshToken: true,
    loadExistingGrant,
  });
  provider.proxy = true;
  provider.use((ctx, next) => serveSignInPage(provider, ctx, next));
  return provider;
}

function createClients(clientSecret: string): Pick<Configuration, "clients"> {
  return {
    clients: [
      {
        client_id: shopWeb.id,
        client_name: shopWeb.name,
        token_endpoint_auth_method: "none",
        redirect_uris: [shopWeb.redirectUri],
        grant_types: ["authorization_code", "refresh_token"],
        response_types: ["code"],
      },
      {
        client_id: billingApi.id,
        client_name: billingApi.name,
        client_secret: clientSecret,
        token_endpoint_auth_method: "client_secret_basic",
        redirect_uris: [],
        grant_types: ["client_credentials"],
        response_types: [],
      },
    ],
  };
}

function createLifetimes(): Pick<Configuration, "ttl"> {
  return {
    ttl: {
      AccessToken: ACCESS_TOKEN_SECONDS,
      AuthorizationCode: 60,
      ClientCredentials: ACCESS_TOKEN_SECONDS,
      Grant: FORTNIGHT_SECONDS,
      IdToken: HOUR_SECONDS,
      Interaction: HOUR_SECONDS,
      RefreshToken: FORTNIGHT_SECONDS,
      Session: FORTNIGHT_SECONDS,
    },
  };
}

async function generateSigningKey(alg: "ES256" | "RS256"): Promise<object> {
  const { privateKey } = await generateKeyPair(alg, { extractable: true });
  return { ...(await exportJWK(privateKey)), alg, use: "sig" };
}

function getResourceServerInfo(_ctx: KoaContextWithOIDC, resource: string) {
  if (resource !== ordersResource.identifier) throw new errors.InvalidTarget();
  return {
    scope: ordersResource.scope,
    accessTokenTTL: ACCESS_TOKEN_SECONDS,
    accessTokenFormat: "jwt",
    jwt: { sign: { alg: "ES256" } },
  } as const;
}

function claimsOf(accountId: string) {
  return { sub: accountId, name: "A person", email: `${accountId}@example.com`, email_verified: true };
}

/** Grants a first-party client what it may ask for, without a consent page. */
async function loadExistingGrant({ oidc }: KoaContextWithOIDC) {
  const { client, session, provider } = oidc;
  if (client === undefined || session?.accountId === undefined) return undefined;
  const grantId = oidc.result?.consent?.grantId ?? session.grantIdFor(client.clientId);
  if (grantId !== undefined) return provider.Grant.find(grantId);
  const grant = new provider.Grant({ clientId: client.clientId, accountId: session.accountId });
  grant.addOIDCScope(IDENTITY_SCOPES.join(" "));
  grant.addResourceScope(ordersResource.identifier, ordersResource.scope);
  await grant.save();
  return grant;
}

/** A page that believes every password: whoever names an account is signed in. Sign-ins are preparation here, never measured. */
async function serveSignInPage(provider: Provider, ctx: Context, next: Next): Promise<void> {
  if (!ctx.path.startsWith("/interaction/")) return next();
  if (ctx.method === "POST") {
    const email = new URLSearchParams(await text(ctx.req)).get("email") ?? "";
    const login = { accountId: accountIdOf(email), acr: PASSWORD_ACR, amr: ["pwd"], ts: Math.floor(Date.now() / 1000) };
    await provider.interactionFinished(ctx.req, ctx.res, { login });
    ctx.respond = false;
    return;
  }
  ctx.type = "html";
  ctx.body = `<form method="post"><input name="email"><input name="password" type="password"></form>`;
}
