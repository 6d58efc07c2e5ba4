import { setImmediate as turnOfTheEventLoop } from "node:timers/promises";
import { calculateJwkThumbprint, decodeProtectedHeader } from "jose";
import { errors, type KoaContextWithOIDC, type Provider } from "oidc-provider";
import { beginRefresh, completeRefresh, type ProtocolState, type RefreshUnderWay } from "./adapter/index.ts";
import { refreshTokenSeconds, type RefreshLimits } from "./configuration/lifetimes.ts";
import { findGrantType } from "./internals.ts";

const REFRESH_TOKEN = "refresh_token";

export interface RefreshGrantDeps {
  readonly state: Pick<ProtocolState, "judgeRefresh">;
  readonly limits: RefreshLimits;
  readonly nowSeconds: () => number;
}

/**
 * A refresh of which the answer may get lost.
 *
 * One step before the library's own: is what is presented a retry? Then the library refreshes with the successor that is
 * there, which so comes through every check (client, sender key, session, grant, account, scope) and stays. The loser of
 * a race learns when it writes that it was a retry, and is answered in the same way. What was consumed and is no retry
 * goes on to the library, which ends the grant. The library writes the new token before it has signed what goes with it;
 * here that write waits until it has.
 *
 * Whoever hung up ends nothing. A request that waited in a node that stood still, or in a slow network, may come after
 * its app has asked elsewhere and gone on, and would read as theft. A thief gains nothing by hanging up: what he presented
 * stays spent, he is not even told so, and the owner, who does wait, ends the grant all the same.
 */
export function useRefreshGrant(provider: Provider, deps: RefreshGrantDeps): void {
  const original = findGrantType(provider, REFRESH_TOKEN);

  async function retry(ctx: KoaContextWithOIDC, refresh: RefreshUnderWay, successor: string): Promise<void> {
    refresh.keepsToken = true;
    refresh.isRetry = true;
    Object.assign(ctx.oidc.params ?? {}, { [REFRESH_TOKEN]: successor });
    await original.handler(ctx);
  }

  async function use(ctx: KoaContextWithOIDC, refresh: RefreshUnderWay, presented: string): Promise<void> {
    try {
      await original.handler(ctx);
      // Signed by now: a request for which nothing could be signed has spent nothing.
      await completeRefresh(refresh);
    } catch (error) {
      const lost = refresh.isLost ? await deps.state.judgeRefresh(presented, refresh.binding) : undefined;
      // Living before and not the predecessor now: its successor was used meanwhile. Too late, but no theft.
      if (lost?.type !== "retry") throw error;
      await retry(ctx, refresh, lost.successor);
      return;
    }
    if (refresh.keepsToken) await prolong(ctx);
  }

  /** Idle is what is not used: a token that does not rotate begins its idle time anew. */
  async function prolong({ oidc }: KoaContextWithOIDC): Promise<void> {
    const { RefreshToken: token } = oidc.entities;
    if (token === undefined || oidc.client === undefined) return;
    const now = deps.nowSeconds();
    token.iat = now;
    token.exp = now + refreshTokenSeconds(deps.limits, { token, client: oidc.client, now });
    await token.save();
  }

  async function answer(ctx: KoaContextWithOIDC): Promise<void> {
    const presented = ctx.oidc.params?.[REFRESH_TOKEN];
    if (typeof presented !== "string") return original.handler(ctx);
    const binding = await bindingOf(ctx);
    const presentation = await deps.state.judgeRefresh(presented, binding);
    if (presentation.type === "other") {
      throw new errors.InvalidGrant("the refresh token was used already, for another resource or by another sender");
    }
    if (presentation.type === "reuse") await lookAtConnections();
    if (hasHungUp(ctx)) throw new errors.InvalidGrant("the sender does not wait for the answer");
    const underWay = beginRefresh({ binding, isReuse: presentation.type === "reuse" });
    if (presentation.type === "retry") await retry(ctx, underWay, presentation.successor);
    else await use(ctx, underWay, presented);
  }

  provider.registerGrantType(REFRESH_TOKEN, answer, original.parameters, original.duplicates);
}

/**
 * After the request its connection's end may wait to be read. From one `setImmediate` to the next lies one look at all
 * connections.
 */
async function lookAtConnections(): Promise<void> {
  await turnOfTheEventLoop();
  await turnOfTheEventLoop();
}

function hasHungUp({ req: { socket }, res }: KoaContextWithOIDC): boolean {
  return res.closed || socket.destroyed || socket.readableEnded;
}

/** The resource that is asked for and the key that proves the sender, in one text; whether the proof holds is not said. */
async function bindingOf(ctx: KoaContextWithOIDC): Promise<string> {
  const { resource } = ctx.oidc.params ?? {};
  const resources = Array.isArray(resource)
    ? [...new Set(resource.map(String))].toSorted(byCodeUnits)
    : [resource ?? null];
  const proof = ctx.get("DPoP");
  return JSON.stringify(proof === "" ? resources : [...resources, { jkt: await thumbprintOf(proof) }]);
}

function byCodeUnits(left: string, right: string): number {
  return left < right ? -1 : 1;
}

async function thumbprintOf(proof: string): Promise<string | undefined> {
  try {
    const { jwk } = decodeProtectedHeader(proof);
    return jwk === undefined ? undefined : await calculateJwkThumbprint(jwk);
  } catch {
    // The library refuses it.
    return undefined;
  }
}
