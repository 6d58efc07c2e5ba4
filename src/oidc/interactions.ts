import type { Context } from "koa";
import { errors, type Interaction, type InteractionResults, type Provider } from "oidc-provider";
import { UnsecuredJWT } from "jose";
import { type Clock, epochSeconds } from "../core/index.ts";
import type { Clients } from "../clients/index.ts";
import { newGrantId } from "./adapter/identifiers.ts";
import type { Consents, ConsentedScopes } from "./consents.ts";
import { endSession } from "./browser-sessions.ts";
import { addScopes } from "./grants.ts";
import { ACR_PASSWORD, ROUTES } from "./identity.ts";
import type { Interactions, PendingInteraction, RequestedAccess, RequestingClient } from "./interactions-port.ts";
import { type RestartContent, restartTokenFor, type RestartTokens } from "./restart-tokens.ts";

const PAGES = { login: "sign-in", create: "create-account", consent: "consent" } as const;
const REQUEST_URI_PREFIX = "urn:ietf:params:oauth:request_uri:";
const PUSHED_REQUEST_SECONDS = 60;

export interface InteractionsDeps {
  readonly provider: Provider;
  readonly clients: Clients;
  readonly consents: Consents;
  readonly restartTokens: RestartTokens;
  readonly clock: Clock;
  readonly describeClient: (clientId: string | undefined) => Promise<RequestingClient | undefined>;
}

export function createInteractions(deps: InteractionsDeps): Interactions {
  const { provider, restartTokens } = deps;

  async function read(ctx: Context): Promise<Interaction | undefined> {
    try {
      return await provider.interactionDetails(ctx.req, ctx.res);
    } catch (error) {
      if (error instanceof errors.SessionNotFound) return undefined;
      throw error;
    }
  }

  /**
   * Ends the session of whoever else was signed in in this browser. The library would do so with a form that submits
   * itself, which needs script, and from which `form-action` lets nobody get to an app on another site.
   */
  async function leaveOtherSession(ctx: Context, accountId: string): Promise<void> {
    const session = await provider.Session.get(provider.createContext(ctx.req, ctx.res));
    if (session.accountId === undefined || session.accountId === accountId) return;
    const interaction = await read(ctx);
    await endSession(provider, session);
    if (interaction?.session === undefined) return;
    // What waits is no longer bound to the session that it began in.
    delete interaction.session;
    await interaction.save(interaction.exp - epochSeconds(deps.clock));
  }

  async function finish(ctx: Context, interaction: PendingInteraction, result: InteractionResults): Promise<string> {
    // An earlier sign-in in this chain must not be applied again over a new one; consent comes on top of it.
    const mergeWithLastSubmission = "consent" in result;
    const returnTo = await provider.interactionResult(ctx.req, ctx.res, result, { mergeWithLastSubmission });
    // The request travels along, so that even a resumption that finds nothing can begin again.
    return `${returnTo}?r=${interaction.restartToken}`;
  }

  return {
    async find(ctx, uid) {
      const interaction = await read(ctx);
      if (interaction === undefined || interaction.uid !== uid) return undefined;
      return describeInteraction(deps, interaction);
    },
    async completeSignIn(ctx, interaction, { accountId, methods }) {
      await leaveOtherSession(ctx, accountId);
      const login = { accountId, acr: ACR_PASSWORD, amr: [...methods], ts: epochSeconds(deps.clock), remember: true };
      const created = interaction.page === "create-account" ? { create: {} } : {};
      return finish(ctx, interaction, { ...created, login });
    },
    async allow(ctx, interaction) {
      const stored = await read(ctx);
      const session = stored?.session;
      if (stored === undefined || session === undefined) throw new errors.SessionNotFound("the interaction is over");
      const scopes = askedScopes(stored);
      const grant = stored.grantId === undefined ? undefined : await provider.Grant.find(stored.grantId);
      const allowed = grant ?? new provider.Grant({ accountId: session.accountId, clientId: interaction.client.id });
      allowed.jti ??= newGrantId(session.uid);
      addScopes(allowed, scopes);
      const grantId = await allowed.save();
      await deps.consents.give(session.accountId, interaction.client.id, scopes);
      return finish(ctx, interaction, { consent: { grantId } });
    },
    deny: (ctx, interaction) =>
      finish(ctx, interaction, { error: "access_denied", error_description: "the person did not allow it" }),
    async readRestart(token) {
      const content = restartTokens.read(token);
      const client = content && (await deps.describeClient(clientIdOf(content)));
      if (content === undefined || client === undefined) return undefined;
      return { client, url: await authorizationUrl(deps, content) };
    },
    async restartAs(token, how) {
      const content = restartTokens.read(token);
      if (content === undefined) return undefined;
      const prompt = { "another-account": "login", "new-account": "create", "sign-in": undefined }[how];
      const { prompt: _prompt, ...params } = content.params;
      return authorizationUrl(deps, { ...content, params: prompt === undefined ? params : { ...params, prompt } });
    },
  };
}

function clientIdOf(content: RestartContent): string | undefined {
  const clientId = content.params["client_id"];
  return typeof clientId === "string" ? clientId : undefined;
}

/** The URL that makes the same authorization request again, pushed again if it was pushed (RFC 9126). */
async function authorizationUrl(deps: InteractionsDeps, content: RestartContent): Promise<string> {
  const clientId = clientIdOf(content) ?? "";
  const query = new URLSearchParams();
  if (content.pushed) {
    query.set("client_id", clientId);
    query.set("request_uri", REQUEST_URI_PREFIX + (await pushAgain(deps, clientId, content.params)));
  } else {
    for (const [name, value] of Object.entries(content.params)) {
      for (const item of typeof value === "string" ? [value] : value) query.append(name, item);
    }
  }
  return `${deps.provider.issuer}${ROUTES.authorization}?${query.toString()}`;
}

async function pushAgain(deps: InteractionsDeps, clientId: string, params: RestartContent["params"]): Promise<string> {
  const now = epochSeconds(deps.clock);
  const request = new UnsecuredJWT({ ...params })
    .setIssuedAt(now)
    .setNotBefore(now)
    .setExpirationTime(now + PUSHED_REQUEST_SECONDS)
    .setIssuer(clientId)
    .setAudience(deps.provider.issuer)
    .encode();
  const client = await deps.clients.findClient(clientId);
  const trusted = client !== undefined && client.authMethod !== "none";
  const pushed = new deps.provider.PushedAuthorizationRequest({ request });
  return Object.assign(pushed, { trusted }).save(PUSHED_REQUEST_SECONDS);
}

async function describeInteraction(
  deps: InteractionsDeps,
  interaction: Interaction,
): Promise<PendingInteraction | undefined> {
  const { params, prompt, session } = interaction;
  const client = await deps.describeClient(textOf(params["client_id"]));
  const page = PAGES[prompt.name as keyof typeof PAGES];
  if (client === undefined || page === undefined) return undefined;
  const redirectOrigin = originOf(textOf(params["redirect_uri"]));
  return {
    uid: interaction.uid,
    page,
    client,
    accountId: session?.accountId,
    isReauthentication: page === "sign-in" && session?.accountId !== undefined,
    loginHint: textOf(params["login_hint"]),
    uiLocales: textOf(params["ui_locales"])?.split(" ") ?? [],
    access: await describeAccess(deps.clients, await shownScopes(deps.provider, interaction)),
    formActionOrigins: redirectOrigin === undefined ? [] : [redirectOrigin],
    restartToken: restartTokenFor(deps.restartTokens, interaction),
  };
}

/** What the consent page asks for: what is missing from the grant so far. */
function askedScopes(interaction: Interaction): ConsentedScopes {
  const details = interaction.prompt.details as {
    missingOIDCScope?: string[];
    missingResourceScopes?: Record<string, string[]>;
  };
  return { identity: details.missingOIDCScope ?? [], resources: details.missingResourceScopes ?? {} };
}

/** What the consent page lists: what is missing, or all of it when the client asks for consent once more. */
async function shownScopes(provider: Provider, interaction: Interaction): Promise<ConsentedScopes> {
  const missing = askedScopes(interaction);
  const isNothingNew = missing.identity.length === 0 && Object.keys(missing.resources).length === 0;
  const grant =
    isNothingNew && interaction.grantId !== undefined ? await provider.Grant.find(interaction.grantId) : undefined;
  if (grant === undefined) return missing;
  const requested = new Set(textOf(interaction.params["scope"])?.split(" "));
  const resources = Object.entries(grant.resources ?? {}).map(([identifier, scope]): [string, string[]] => [
    identifier,
    scope.split(" ").filter((name) => requested.has(name)),
  ]);
  return {
    identity: grant
      .getOIDCScope()
      .split(" ")
      .filter((scope) => requested.has(scope)),
    resources: Object.fromEntries(resources),
  };
}

async function describeAccess(clients: Clients, scopes: ConsentedScopes): Promise<RequestedAccess> {
  const resources = await Promise.all(
    Object.entries(scopes.resources).map(async ([identifier, names]) => {
      const server = await clients.findResourceServer(identifier);
      const described = names.map((name) => ({
        name,
        description: server?.scopes.find((scope) => scope.name === name)?.description ?? name,
      }));
      return { identifier, name: server?.name ?? identifier, scopes: described };
    }),
  );
  return { identityScopes: scopes.identity.filter((scope) => scope !== "openid"), resources };
}

function textOf(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}

/** Origin for a CSP source; `scheme:` for the private-use schemes of native apps. */
function originOf(uri: string | undefined): string | undefined {
  if (uri === undefined || !URL.canParse(uri)) return undefined;
  const { origin, protocol } = new URL(uri);
  return origin === "null" ? protocol : origin;
}
