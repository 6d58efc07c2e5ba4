import type { AccessToken, ClientCredentials, Provider } from "oidc-provider";
import type { RevocationLog } from "../sessions/index.ts";

type OpaqueToken = AccessToken | ClientCredentials;
type FindToken = (value: string, options?: object) => Promise<OpaqueToken | undefined>;

/**
 * Opaque access tokens end in the store, with the grant that they hang on. What ends access without touching the store,
 * such as a client that was removed or a store that came back from the past, is in the log alone: so it is asked
 * wherever the library looks such a token up.
 */
export function useRevocationLog(provider: Provider, log: Pick<RevocationLog, "isRevoked">): void {
  for (const model of [provider.AccessToken, provider.ClientCredentials]) {
    const find = model.find.bind(model) as FindToken;
    Reflect.set(model, "find", async (...given: Parameters<FindToken>) => {
      const token = await find(...given);
      return token === undefined || isRevokedOpaque(log, token) ? undefined : token;
    });
  }
}

/** Whether a record concerns this token. No record names such a token itself, or a key; but its grant has a name. */
export function isRevokedOpaque(log: Pick<RevocationLog, "isRevoked">, token: OpaqueToken): boolean {
  const named = { client_id: token.clientId ?? "", iat: token.iat, kid: "" };
  if (token.kind === "ClientCredentials") return log.isRevoked({ ...named, sub: named.client_id, jti: "" });
  const { accountId, grantId, sessionUid, expiresWithSession } = token;
  const sid = expiresWithSession && sessionUid !== undefined ? { sid: sessionUid } : {};
  return log.isRevoked({ ...named, ...sid, sub: accountId, jti: `${grantId}.` });
}
