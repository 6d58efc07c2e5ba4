import type { Context } from "koa";
import { AppError, type Authenticator } from "../core/index.ts";

/** Proves that a form was sent from the page that we made for this person. */
export interface Csrf {
  /** The token for a form. `binding` is what the form belongs to: the interaction's uid, or the session's id. */
  token(binding: string): string;
  /**
   * Refuses a form that another site sent or whose token is for another binding.
   *
   * @throws `CSRF_INVALID`
   */
  check(ctx: Context, binding: string, token: string | undefined): void;
}

export interface CsrfDependencies {
  readonly authenticator: Authenticator;
  readonly issuer: string;
}

export function createCsrf({ authenticator, issuer }: CsrfDependencies): Csrf {
  return {
    token: (binding) => authenticator.digest("csrf", binding),
    check(ctx, binding, token) {
      if (isCrossSite(ctx, issuer)) throw new AppError("CSRF_INVALID", { detail: "sent from another site" });
      if (token === undefined || !authenticator.verify("csrf", binding, token)) {
        throw new AppError("CSRF_INVALID", { detail: token === undefined ? "no token" : "wrong token" });
      }
    },
  };
}

/**
 * What the browser itself says about the sender. `Sec-Fetch-Site` decides where it is sent; our own pages come with
 * `Origin: null`, because they have no referrer, so that `null` alone says nothing and the token decides.
 */
function isCrossSite(ctx: Context, issuer: string): boolean {
  const site = ctx.get("sec-fetch-site");
  if (site !== "") return site !== "same-origin" && site !== "none";
  const origin = ctx.get("origin");
  return origin !== "" && origin !== "null" && origin !== issuer;
}
