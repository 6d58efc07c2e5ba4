import type { Middleware } from "koa";
import helmet from "koa-helmet";
import { BASE_POLICY } from "./content-security-policy.ts";

const ONE_YEAR_SECONDS = 365 * 24 * 60 * 60;

/**
 * The headers of every answer, set before anything else runs: oidc-provider and the pages extend the policy that they
 * find (ASVS v5.0.0-3.4).
 *
 * @param issuer decides over HSTS, which only https may ask for. It covers this host alone: what runs under its
 *   subdomains is not ours to decide.
 */
export function createSecurityHeaders(issuer: string): Middleware {
  const isHttps = issuer.startsWith("https://");
  const setOthers = helmet({
    contentSecurityPolicy: false,
    crossOriginOpenerPolicy: { policy: "same-origin" },
    referrerPolicy: { policy: "no-referrer" },
    frameguard: { action: "deny" },
    strictTransportSecurity: isHttps && { maxAge: ONE_YEAR_SECONDS, includeSubDomains: false },
  });
  return (ctx, next) => {
    ctx.set("Content-Security-Policy", BASE_POLICY);
    return setOthers(ctx, next);
  };
}
