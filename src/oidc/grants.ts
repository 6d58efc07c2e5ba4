import type { Context } from "koa";
import type { Grant, KoaContextWithOIDC } from "oidc-provider";
import type { Clients } from "../clients/index.ts";
import { newGrantId } from "./adapter/index.ts";
import type { Consents, ConsentedScopes } from "./consents.ts";
import { ACCOUNT_CLIENT_ID } from "./identity.ts";

interface ExistingGrantsDeps {
  readonly clients: Clients;
  readonly consents: Consents;
}

export interface ExistingGrants {
  /**
   * Finds what the client may do in this session: what it was granted here before, and beyond that what a first-party
   * client asks for or the person allowed at an earlier sign-in. `undefined` leads to the consent page.
   */
  load(ctx: KoaContextWithOIDC): Promise<Grant | undefined>;
  /**
   * Ends the grant that this request made of what the person had allowed, if that was withdrawn meanwhile. To be called
   * once the grant is written: whoever withdrew before looked for grants and did not find this one, and whoever does so
   * later finds it.
   */
  endWithdrawn(ctx: Context): Promise<void>;
}

export function createExistingGrants(deps: ExistingGrantsDeps): ExistingGrants {
  const made = new WeakMap<Context, Grant>();

  async function load(ctx: KoaContextWithOIDC): Promise<Grant | undefined> {
    const { client, session, account, result, provider } = ctx.oidc;
    if (client === undefined || session === undefined || account === undefined) return undefined;
    const knownId = result?.consent?.grantId ?? session.grantIdFor(client.clientId);
    const known = knownId === undefined ? undefined : await provider.Grant.find(knownId);
    // A grant of somebody else who was signed in here before is none of this person's.
    const grant = known?.accountId === account.accountId ? known : undefined;
    const allowed = await allowedWithoutAsking(deps, client.clientId, account.accountId);
    // Without a record of what the person allowed, a grant is from when the operator vouched for the client.
    if (allowed === undefined) return undefined;
    const requested = requestedScopes(ctx);
    const granted = allowed === "everything" ? requested : intersection(requested, allowed);
    const isAllowed = grant !== undefined && (allowed === "everything" || isWithin(grant, allowed));
    const audiences = Object.keys(requested.resources);
    if (isAllowed && covers(grant, granted) && audiences.every((audience) => isNamed(grant, audience))) return grant;
    if (!isAllowed && granted.identity.length === 0 && Object.keys(granted.resources).length === 0) return undefined;
    const extended =
      (isAllowed ? grant : undefined) ??
      new provider.Grant({ accountId: account.accountId, clientId: client.clientId });
    extended.jti ??= newGrantId(session.uid);
    addScopes(extended, granted);
    nameAudiences(extended, audiences);
    await extended.save();
    if (allowed !== "everything") made.set(ctx, extended);
    return extended;
  }

  return {
    load,
    async endWithdrawn(ctx) {
      const grant = made.get(ctx);
      if (grant?.accountId === undefined || grant.clientId === undefined) return;
      const allowed = await allowedWithoutAsking(deps, grant.clientId, grant.accountId);
      if (allowed === "everything" || (allowed !== undefined && isWithin(grant, allowed))) return;
      await grant.destroy();
    },
  };
}

async function allowedWithoutAsking(
  deps: ExistingGrantsDeps,
  clientId: string,
  accountId: string,
): Promise<ConsentedScopes | "everything" | undefined> {
  if (clientId === ACCOUNT_CLIENT_ID) return "everything";
  const client = await deps.clients.findClient(clientId);
  if (client?.isFirstParty === true) return "everything";
  return deps.consents.find(accountId, clientId);
}

/** What the authorization request asks for, as far as the client may ask for it. */
export function requestedScopes(ctx: KoaContextWithOIDC): ConsentedScopes {
  const { requestParamOIDCScopes, requestParamScopes, resourceServers = {} } = ctx.oidc;
  const resources = Object.entries(resourceServers).map(([identifier, server]): [string, string[]] => [
    identifier,
    [...server.scopes].filter((scope) => requestParamScopes.has(scope)),
  ]);
  return { identity: [...requestParamOIDCScopes], resources: Object.fromEntries(resources) };
}

export function addScopes(grant: Grant, scopes: ConsentedScopes): void {
  if (scopes.identity.length > 0) grant.addOIDCScope(scopes.identity.join(" "));
  for (const [identifier, names] of Object.entries(scopes.resources)) {
    if (names.length > 0) grant.addResourceScope(identifier, names.join(" "));
  }
  // The library keeps the end that the grant had before, which was the session's: now it is a longer one.
  if (scopes.identity.includes("offline_access")) delete grant.exp;
}

/** Stands in a grant where it names an API and holds no scope of it. The library drops a name with nothing behind it. */
const NO_SCOPE = " ";

/**
 * A request may name an API and ask for no scope of it, and gets a token for it all the same. So the grant names it too:
 * what it names are the services that are told when it ends.
 */
function nameAudiences(grant: Grant, audiences: readonly string[]): void {
  for (const audience of audiences) if (!isNamed(grant, audience)) grant.addResourceScope(audience, NO_SCOPE);
}

function isNamed(grant: Grant, audience: string): boolean {
  return grant.resources?.[audience] !== undefined;
}

function covers(grant: Grant, scopes: ConsentedScopes): boolean {
  const identity = new Set(grant.getOIDCScope().split(" "));
  return (
    scopes.identity.every((scope) => identity.has(scope)) &&
    Object.entries(scopes.resources).every(([identifier, names]) => {
      const granted = new Set(grant.getResourceScope(identifier).split(" "));
      return names.every((name) => granted.has(name));
    })
  );
}

/** Whether the person allowed all that the grant holds. */
function isWithin(grant: Grant, allowed: ConsentedScopes): boolean {
  const isSubset = (scope: string, of: readonly string[] = []): boolean =>
    scope.split(" ").every((name) => name === "" || of.includes(name));
  return (
    isSubset(grant.getOIDCScope(), allowed.identity) &&
    Object.entries(grant.resources ?? {}).every(([identifier, scope]) => isSubset(scope, allowed.resources[identifier]))
  );
}

function intersection(requested: ConsentedScopes, allowed: ConsentedScopes): ConsentedScopes {
  const resources = Object.entries(requested.resources).flatMap(([identifier, names]): [string, string[]][] => {
    const both = names.filter((name) => allowed.resources[identifier]?.includes(name));
    return both.length === 0 ? [] : [[identifier, both]];
  });
  return {
    identity: requested.identity.filter((scope) => allowed.identity.includes(scope)),
    resources: Object.fromEntries(resources),
  };
}
