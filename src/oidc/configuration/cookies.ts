import type { Configuration } from "oidc-provider";
import type { CookieSigner } from "../../core/index.ts";

/**
 * Names say what browsers enforce on https: `__Host-` binds to this host and the whole path; the two cookies of an
 * interaction are scoped to its path, which only `__Secure-` allows.
 */
export function cookies(issuer: string, signer: CookieSigner): NonNullable<Configuration["cookies"]> {
  const isSecure = issuer.startsWith("https:");
  const options = { signed: true, httpOnly: true, sameSite: "lax", secure: isSecure, overwrite: true } as const;
  return {
    names: {
      session: isSecure ? "__Host-lk_session" : "lk_session",
      interaction: isSecure ? "__Secure-lk_interaction" : "lk_interaction",
      resume: isSecure ? "__Secure-lk_resume" : "lk_resume",
    },
    // An object that can sign and verify is kept as it is; a list would be copied and used for HMAC-SHA-1.
    keys: signer,
    long: { ...options, path: "/" },
    short: options,
  };
}
