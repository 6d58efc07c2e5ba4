import type { Context } from "koa";
import type { Clients } from "../clients/index.ts";
import type { AuthenticateReader } from "../sessions/index.ts";
import {
  type AccessTokenVerifier,
  isServiceToken,
  toRevocable,
  type TokenStanding,
  type VerifiedAccessToken,
} from "./access-tokens.ts";
import { REVOCATION_FEED_SCOPE, revocationFeedUrl } from "./identity.ts";

export interface FeedReadersDeps {
  readonly issuer: string;
  readonly clients: Pick<Clients, "findClient">;
  readonly verifyAccessToken: AccessTokenVerifier;
  readonly isAlive: TokenStanding;
}

type Answer = Awaited<ReturnType<AuthenticateReader>>;

/**
 * Who may read the feed of revocations: a client with a token for the feed, of what concerns the APIs that it
 * introspects for.
 */
export function createFeedReaders(deps: FeedReadersDeps): AuthenticateReader {
  return async (ctx) => {
    const token = await findToken(deps, ctx);
    if (token === undefined) return refused("invalid_token", "a living access token for the revocation feed is needed");
    const { claims } = token;
    // Whoever copied such a token could use it here like one that is bound to nothing.
    if (claims.cnf !== undefined) return refused("invalid_token", "the feed takes bearer tokens only");
    if (claims.scope !== REVOCATION_FEED_SCOPE) {
      return refused("insufficient_scope", `the token does not have the scope ${REVOCATION_FEED_SCOPE}`);
    }
    const client = await deps.clients.findClient(claims.client_id);
    const audiences = narrow(client?.introspects ?? [], ctx.query["audience"]);
    if (audiences.length === 0) return refused("insufficient_scope", "the client does not introspect for this API");
    const reader = { clientId: claims.client_id, audiences, token: toRevocable(token), expiresAt: claims.exp };
    return { type: "reader", reader };
  };
}

async function findToken(deps: FeedReadersDeps, ctx: Context): Promise<VerifiedAccessToken | undefined> {
  const [, presented] = /^Bearer ([\w.~+/-]+=*)$/i.exec(ctx.get("Authorization")) ?? [];
  const token = presented === undefined ? undefined : await deps.verifyAccessToken(presented);
  if (token === undefined || token.claims.aud !== revocationFeedUrl(deps.issuer)) return undefined;
  return isServiceToken(token.claims) && (await deps.isAlive(token)) ? token : undefined;
}

/** All of the client's APIs, or the one that it asks for. */
function narrow(introspects: readonly string[], audience: string | readonly string[] | undefined): readonly string[] {
  return audience === undefined ? introspects : introspects.filter((own) => own === audience);
}

function refused(error: "invalid_token" | "insufficient_scope", description: string): Answer {
  return { type: "refused", status: error === "invalid_token" ? 401 : 403, error, description };
}
