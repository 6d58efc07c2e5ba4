import type { EventEmitter } from "node:events";
import type { Context } from "koa";
import { errors, type KoaContextWithOIDC, type Provider } from "oidc-provider";
import { networkOf, type Throttle } from "../accounts/index.ts";
import type { Audit } from "../audit/index.ts";
import type { Clock } from "../core/index.ts";
import type { Logger } from "../observability/index.ts";
import type { Db } from "../storage/index.ts";
import { requestContextOf } from "./models.ts";

/** Where clients prove who they are, by the library's names. */
const ROUTES: ReadonlySet<string> = new Set(["token", "introspection", "revocation", "pushed_authorization_request"]);
const REFUSALS = ["grant.error", "introspection.error", "revocation.error", "pushed_authorization_request.error"];
const CLOSED_KEPT_MAX = 10_000;

export interface ClientAuthenticationDeps {
  readonly db: Db;
  readonly clock: Clock;
  readonly audit: Audit;
  readonly logger: Logger;
  readonly throttle: Pick<Throttle, "countClientFailure">;
  readonly originOf: (ctx: Context) => { readonly address: string; readonly requestId: string };
}

export interface ClientAuthentication {
  /** Counts a client that failed to prove who it is; to be called before the answer leaves. */
  completeAnswer(ctx: Context): Promise<void>;
}

/**
 * Limits how often a client may fail to prove who it is, from one network: nobody elsewhere is refused for it, and a
 * client that has nothing to prove never is. Clients that nobody knows count as one.
 *
 * Failures alone are counted, once they are there. What is closed is noted in this process, so that it is refused before
 * anything is compared, and who succeeds asks no store: a secret has 256 random bits, and a few parallel tries more are
 * nothing.
 */
export function throttleClientAuthentication(provider: Provider, deps: ClientAuthenticationDeps): ClientAuthentication {
  const { clock } = deps;
  const failed = new WeakSet<object>();
  const closedUntilMs = new Map<string, number>();

  for (const event of REFUSALS) {
    // Of so many alike events the types make as many overloads, none of which fits a name that varies.
    (provider as EventEmitter).on(event, (ctx: Context, error: Error) => {
      if (error instanceof errors.InvalidClientAuth) failed.add(ctx);
    });
  }

  const find = provider.Client.find.bind(provider.Client);
  provider.Client.find = async (clientId) => {
    const client = await find(clientId);
    const ctx = closedUntilMs.size === 0 ? undefined : requestContextOf(provider);
    if (ctx !== undefined && isProving(ctx) && client?.clientAuthMethod !== "none") {
      const leftMs = (closedUntilMs.get(keyOf(ctx, client?.clientId)) ?? 0) - clock.nowMs();
      if (leftMs > 0) throw refuse(ctx, Math.ceil(leftMs / 1_000));
    }
    return client;
  };

  const keyOf = (ctx: Context, clientId = ""): string => `${clientId}\0${networkOf(deps.originOf(ctx).address)}`;

  function close(ctx: Context, clientId: string | undefined, seconds: number): void {
    const key = keyOf(ctx, clientId);
    closedUntilMs.delete(key);
    closedUntilMs.set(key, clock.nowMs() + seconds * 1_000);
    const oldest = closedUntilMs.keys().next();
    if (closedUntilMs.size > CLOSED_KEPT_MAX && oldest.done === false) closedUntilMs.delete(oldest.value);
  }

  async function count(ctx: KoaContextWithOIDC): Promise<void> {
    const { client } = ctx.oidc;
    if (client?.clientAuthMethod === "none") return;
    const { address, requestId } = deps.originOf(ctx);
    const clientId = client?.clientId;
    const verdict = await deps.throttle.countClientFailure({ clientId, address });
    if (verdict.verdict === "open") return;
    close(ctx, clientId, verdict.retryAfterSeconds);
    const { error, error_description, status } = refuse(ctx, verdict.retryAfterSeconds);
    ctx.status = status;
    ctx.body = { error, error_description };
    // Once a window: an attack would fill a log that nobody can shorten.
    if (verdict.isFirst) await deps.audit.append(deps.db, { type: "client_throttled", clientId, address, requestId });
  }

  return {
    async completeAnswer(ctx) {
      if (!failed.has(ctx)) return;
      const report = (error: unknown): void =>
        deps.logger.warn({ reason: String(error) }, "could not count a client that failed to authenticate");
      // It was refused already, which is what matters.
      await count(ctx as KoaContextWithOIDC).catch(report);
    },
  };
}

/** Whether the client that is looked up is the one that asks, and has yet to prove that. */
function isProving({ oidc }: KoaContextWithOIDC): boolean {
  return ROUTES.has(oidc.route) && oidc.entities.Client === undefined;
}

function refuse(ctx: Context, retryAfterSeconds: number): errors.OIDCProviderError {
  ctx.set("Retry-After", String(retryAfterSeconds));
  const error = new errors.OIDCProviderError(429, "temporarily_unavailable");
  error.error_description = `too many failed client authentications from this network; try again in ${retryAfterSeconds} seconds`;
  error.expose = true;
  return error;
}
