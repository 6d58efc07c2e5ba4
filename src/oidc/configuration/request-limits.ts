import { type Configuration, errors, type KoaContextWithOIDC } from "oidc-provider";
import { refuseUnknownAcrs } from "../asked-assurance.ts";

/** All parameters of an authorization request together, as JSON. Anybody can make us keep them for an hour. */
export const PARAMETER_BYTES_MAX = 8 * 1024;
/** Of `state` and `nonce` each. */
const VALUE_BYTES_MAX = 2 * 1024;

/**
 * Refuses authorization requests that are larger than any app needs, or ask for what nobody could reach, pushed or not.
 * It runs once the redirect URI is known to be the client's, so that the app is told.
 *
 * The library's checks of parameters go by a name. This one looks at all of them, and hangs on one that it knows anyway.
 */
export const PARAMETER_CHECKS: NonNullable<Configuration["extraParams"]> = {
  client_id(ctx) {
    refuseOversized(ctx);
    refuseUnknownAcrs(ctx);
  },
};

function refuseOversized({ oidc }: KoaContextWithOIDC): void {
  const { request: _pushed, ...params } = oidc.params ?? {};
  for (const name of ["state", "nonce"]) {
    if (byteCount(params[name]) > VALUE_BYTES_MAX) throw new errors.InvalidRequest(`${name} is longer than 2 KB`);
  }
  if (byteCount(params) > PARAMETER_BYTES_MAX) throw new errors.InvalidRequest("the request is larger than 8 KB");
}

function byteCount(value: unknown): number {
  return value === undefined ? 0 : Buffer.byteLength(typeof value === "string" ? value : JSON.stringify(value));
}
