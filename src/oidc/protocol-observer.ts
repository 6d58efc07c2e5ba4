import type { Context } from "koa";
import type { KoaContextWithOIDC } from "oidc-provider";
import { currentRequestScope, type RefreshUnderWay } from "./adapter/index.ts";

export type TokenFormat = "jwt" | "opaque" | "refresh_token" | "id_token";

/**
 * `kept`: the refresh token does not rotate. `replayed`: a retry got the successor that was there. `reuse`: a spent token
 * was presented, and its family ended. `refused`: anything else.
 */
export type RefreshOutcome = "rotated" | "kept" | "replayed" | "reuse" | "refused";

/** Told of what the token endpoint answered, once all is written; does not throw. */
export interface ProtocolObserver {
  tokenIssued(grantType: string, format: TokenFormat): void;
  refreshed(outcome: RefreshOutcome): void;
}

/** Tells the observer of an answer that is about to leave. To be called within the request's scope, at its end. */
export function observeAnswer(observer: ProtocolObserver, ctx: Context): void {
  const { oidc } = ctx as Partial<KoaContextWithOIDC>;
  if (oidc?.route !== "token") return;
  const grantType = oidc.params?.["grant_type"];
  const isAnswered = ctx.status === 200;
  const { refresh } = currentRequestScope() ?? {};
  if (refresh !== undefined) observer.refreshed(outcomeOf(refresh, isAnswered));
  else if (grantType === "refresh_token") observer.refreshed("refused");
  if (!isAnswered || typeof grantType !== "string") return;
  const body = ctx.body as Readonly<Record<string, unknown>>;
  if (typeof body["access_token"] === "string") observer.tokenIssued(grantType, formatOf(body["access_token"]));
  if (body["refresh_token"] !== undefined) observer.tokenIssued(grantType, "refresh_token");
  if (body["id_token"] !== undefined) observer.tokenIssued(grantType, "id_token");
}

function outcomeOf({ isReuse, isRetry, keepsToken }: RefreshUnderWay, isAnswered: boolean): RefreshOutcome {
  if (!isAnswered) return isReuse ? "reuse" : "refused";
  if (isRetry) return "replayed";
  return keepsToken ? "kept" : "rotated";
}

/** Ours, when they are opaque, have no dot; a JWT has two (RFC 7515, section 7.1). */
function formatOf(accessToken: string): TokenFormat {
  return accessToken.includes(".") ? "jwt" : "opaque";
}
