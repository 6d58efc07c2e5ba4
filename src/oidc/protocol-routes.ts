import { ROUTES } from "./identity.ts";

/** Paths that the library makes of ours. */
const DERIVED = ["/end-session/confirm", "/end-session/success"] as const;
const METADATA = ["/.well-known/openid-configuration", "/.well-known/oauth-authorization-server"] as const;
const FIXED: ReadonlySet<string> = new Set([...Object.values(ROUTES), ...DERIVED, ...METADATA]);

const PUBLISHED: ReadonlySet<string> = new Set([...METADATA, ROUTES.jwks]);

/** Whether it is what everybody may read and keep: metadata and public keys. */
export function isPublished(path: string): boolean {
  return PUBLISHED.has(path);
}

/** The pattern of a path that the protocol answers, which has no part of what a stranger may write into a path. */
export function protocolRouteOf(path: string): string | undefined {
  if (FIXED.has(path)) return path;
  return path.startsWith(`${ROUTES.authorization}/`) ? `${ROUTES.authorization}/:uid` : undefined;
}
