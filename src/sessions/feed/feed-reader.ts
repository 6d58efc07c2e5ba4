import type Koa from "koa";
import type { RevocableToken } from "../../verifier/index.ts";

/** Who reads the feed: a client, by the token that it showed. */
export interface FeedReader {
  readonly clientId: string;
  /** The resource servers whose tokens it checks; records about others' tokens are none of its business. */
  readonly audiences: readonly string[];
  /** The token itself: when it is revoked, or over, the connection ends. */
  readonly token: RevocableToken;
  /** Seconds since the Unix epoch. */
  readonly expiresAt: number;
}

/** Why somebody may not read, in the words of RFC 6750, section 3.1. */
export interface ReaderRefusal {
  readonly status: 401 | 403;
  readonly error: "invalid_token" | "insufficient_scope" | "invalid_request";
  readonly description: string;
}

/** Says who asks. What a token is, only `oidc` knows. */
export type AuthenticateReader = (
  ctx: Koa.Context,
) => Promise<{ readonly type: "reader"; readonly reader: FeedReader } | ({ readonly type: "refused" } & ReaderRefusal)>;
