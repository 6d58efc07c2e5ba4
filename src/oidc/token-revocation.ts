import type { Adapter, AdapterPayload } from "oidc-provider";
import type { Audit, AuditEvent } from "../audit/index.ts";
import type { Revocations } from "../sessions/index.ts";
import { type Db, guardStore } from "../storage/index.ts";
import { type AccessTokenClaims, type AccessTokenVerifier, isServiceToken } from "./access-tokens.ts";
import { parseRefreshToken, type ProtocolState } from "./adapter/index.ts";

export interface RevokedToken {
  readonly kind: "jwt_access_token" | "opaque_access_token" | "refresh_token";
  readonly clientId: string | undefined;
  /** Absent for a token in the name of a service. */
  readonly accountId: string | undefined;
}

export interface TokenRevocation {
  /** Resolved = committed: every node and every connected service refuses it. @throws AppError STORE_UNAVAILABLE */
  revokeAccessToken(claims: AccessTokenClaims, requestId?: string): Promise<void>;
  /**
   * Revokes whatever token this is, for an operator who found it somewhere; a refresh token with its whole grant.
   * `undefined` when it is none that is alive.
   *
   * @throws AppError STORE_UNAVAILABLE
   */
  revokeToken(token: string): Promise<RevokedToken | undefined>;
}

export interface TokenRevocationDeps {
  readonly db: Db;
  readonly audit: Audit;
  readonly revocations: Pick<Revocations, "append">;
  readonly state: Pick<ProtocolState, "adapterFactory">;
  readonly verifyAccessToken: AccessTokenVerifier;
}

/** Ends single tokens: JWTs by a record that everybody is told of, the others in the store. */
export function createTokenRevocation(deps: TokenRevocationDeps): TokenRevocation {
  const { db, audit, revocations, verifyAccessToken } = deps;
  const adapterOf = (name: string): Adapter => deps.state.adapterFactory(name);

  async function recordRevoked(claims: AccessTokenClaims, by: Pick<AuditEvent, "actor" | "requestId">): Promise<void> {
    await guardStore(() =>
      db.transaction().execute(async (tx) => {
        await audit.append(tx, {
          ...revocationEvent({ kind: "jwt_access_token", ...holderOf(claims) }),
          sessionId: claims.sid,
          ...by,
        });
        await revocations.append(tx, [{ kind: "token", tokenId: claims.jti, audiences: [claims.aud] }]);
      }),
    );
  }

  async function endRefreshToken(token: string): Promise<RevokedToken | undefined> {
    const found = (await adapterOf("RefreshToken").find(token)) ?? undefined;
    if (found?.grantId === undefined) return undefined;
    // The grant takes its refresh tokens along, and those who hold its access tokens are told.
    await adapterOf("Grant").destroy(found.grantId);
    return { kind: "refresh_token", ...holderOfPayload(found) };
  }

  async function endOpaqueToken(token: string): Promise<RevokedToken | undefined> {
    for (const model of ["AccessToken", "ClientCredentials"]) {
      const found = await adapterOf(model).find(token);
      if (!found) continue;
      await adapterOf(model).destroy(token);
      return { kind: "opaque_access_token", ...holderOfPayload(found) };
    }
    return undefined;
  }

  return {
    revokeAccessToken: (claims, requestId) => recordRevoked(claims, { requestId }),
    async revokeToken(token) {
      const verified = await verifyAccessToken(token);
      if (verified !== undefined) {
        await recordRevoked(verified.claims, { actor: "operator" });
        return { kind: "jwt_access_token", ...holderOf(verified.claims) };
      }
      const isRefreshToken = parseRefreshToken(token) !== undefined;
      const ended = isRefreshToken ? await endRefreshToken(token) : await endOpaqueToken(token);
      if (ended !== undefined) {
        await guardStore(() => audit.append(db, { ...revocationEvent(ended), actor: "operator" }));
      }
      return ended;
    },
  };
}

/** The event of a token that was given back or taken away. */
export function revocationEvent({ kind, clientId, accountId }: RevokedToken): AuditEvent {
  return { type: "token_revoked", clientId, accountId, data: { kind } };
}

function holderOf(claims: AccessTokenClaims) {
  return { clientId: claims.client_id, accountId: isServiceToken(claims) ? undefined : claims.sub };
}

function holderOfPayload({ clientId, accountId }: AdapterPayload) {
  return { clientId, accountId };
}
