import { IncomingMessage, ServerResponse } from "node:http";
import { Socket } from "node:net";
import helmet from "helmet";
import type { Middleware } from "koa";
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
  const headers = headersOfHelmet({
    contentSecurityPolicy: false,
    crossOriginOpenerPolicy: { policy: "same-origin" },
    referrerPolicy: { policy: "no-referrer" },
    frameguard: { action: "deny" },
    strictTransportSecurity: isHttps && { maxAge: ONE_YEAR_SECONDS, includeSubDomains: false },
  });
  headers.set("Content-Security-Policy", BASE_POLICY);
  return (ctx, next) => {
    ctx.res.setHeaders(headers);
    return next();
  };
}

/**
 * What helmet sets with these options, asked once. None of it depends on the request, and helmet's dozen middlewares
 * would take 10 µs of each.
 */
function headersOfHelmet(options: Parameters<typeof helmet>[0]): Map<string, string> {
  const request = new IncomingMessage(new Socket());
  const response = new ServerResponse(request);
  helmet(options)(request, response, (error: unknown) => {
    if (error !== undefined) throw error;
  });
  return new Map(response.getHeaderNames().map((name) => [name, String(response.getHeader(name))]));
}
