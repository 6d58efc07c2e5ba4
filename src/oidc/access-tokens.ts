import { errors, jwtVerify, type JWTVerifyGetKey } from "jose";
import { z } from "zod";
import type { Accounts } from "../accounts/index.ts";
import { type Clients, SIGNATURE_ALGORITHMS } from "../clients/index.ts";
import type { Clock } from "../core/index.ts";
import type { RevocableToken, RevocationLog } from "../sessions/index.ts";
import type { PublishedKeys } from "./keys/index.ts";

const seconds = z.int();

/** What our JWT access tokens say (RFC 9068, section 2.2). Claims that are not here are not ours. */
const accessTokenClaims = z.object({
  iss: z.string(),
  sub: z.string(),
  aud: z.string(),
  exp: seconds,
  iat: seconds,
  jti: z.string(),
  client_id: z.string(),
  scope: z.string().optional(),
  sid: z.string().optional(),
  auth_time: seconds.optional(),
  acr: z.string().optional(),
  amr: z.array(z.string()).optional(),
  cnf: z.object({ jkt: z.string() }).optional(),
});

export type AccessTokenClaims = z.infer<typeof accessTokenClaims>;

/** A JWT access token that we signed and that has not expired. */
export interface VerifiedAccessToken {
  readonly kid: string;
  readonly claims: AccessTokenClaims;
}

export interface AccessTokenVerifierDeps {
  readonly issuer: string;
  readonly clock: Clock;
  readonly keys: PublishedKeys;
}

/**
 * Reads JWT access tokens of ours. Anything else is `undefined`: another type of token, another issuer's, an expired or
 * a changed one, and whatever else a stranger sends. Whether the token was revoked is not looked at.
 *
 * Keys are ours by their id, and each is used with its own algorithm only (RFC 8725, section 3.1).
 *
 * @throws AppError STORE_UNAVAILABLE
 */
export function createAccessTokenVerifier({ issuer, clock, keys }: AccessTokenVerifierDeps) {
  const findKey: JWTVerifyGetKey = async ({ kid, alg }) => {
    const key = kid === undefined ? undefined : await keys.find(kid);
    if (key === undefined || key.algorithm !== alg) throw new errors.JWKSNoMatchingKey();
    return key.publicKey;
  };

  return async (token: string): Promise<VerifiedAccessToken | undefined> => {
    try {
      const { payload, protectedHeader } = await jwtVerify(token, findKey, {
        issuer,
        typ: "at+jwt",
        algorithms: [...SIGNATURE_ALGORITHMS],
        currentDate: new Date(clock.nowMs()),
      });
      const claims = accessTokenClaims.safeParse(payload);
      return claims.success ? { kid: protectedHeader.kid ?? "", claims: claims.data } : undefined;
    } catch (error) {
      if (error instanceof errors.JOSEError) return undefined;
      throw error;
    }
  };
}

export type AccessTokenVerifier = ReturnType<typeof createAccessTokenVerifier>;

export function toRevocable({ kid, claims }: VerifiedAccessToken): RevocableToken {
  const { sid, jti, sub, client_id, iat } = claims;
  return { jti, sub, client_id, iat, kid, ...(sid === undefined ? {} : { sid }) };
}

/** A token in the name of a service: no client may have an id that reads as an account's. */
export function isServiceToken({ sub, client_id }: AccessTokenClaims): boolean {
  return sub === client_id;
}

export interface TokenStandingDeps {
  readonly log: Pick<RevocationLog, "catchUp" | "isRevoked">;
  readonly clients: Pick<Clients, "findClient">;
  readonly accounts: Pick<Accounts, "find">;
}

/**
 * Tells whether nothing has ended a verified token since it was issued: no revocation that was committed until now,
 * on whichever node; and its client and its person are still there.
 *
 * @throws AppError STORE_UNAVAILABLE
 */
export function createTokenStanding({ log, clients, accounts }: TokenStandingDeps) {
  return async (token: VerifiedAccessToken): Promise<boolean> => {
    const { claims } = token;
    await log.catchUp();
    if (log.isRevoked(toRevocable(token))) return false;
    const client = await clients.findClient(claims.client_id);
    // The id may be another client's by now.
    if (client === undefined || Math.floor(client.createdAt.getTime() / 1000) > claims.iat) return false;
    if (isServiceToken(claims)) return true;
    const account = await accounts.find(claims.sub);
    return account !== undefined && account.disabledAt === undefined;
  };
}

export type TokenStanding = ReturnType<typeof createTokenStanding>;
