import type { RecordedRevocation, TokenFacts } from "./history.ts";

/** What was to end, by its name. */
export type Ending =
  | { readonly kind: "session"; readonly sid: string }
  | { readonly kind: "grant"; readonly grant: string }
  | { readonly kind: "token"; readonly jti: string };

export function grantOf({ jti }: Pick<TokenFacts, "jti">): string {
  return jti.slice(0, jti.indexOf("."));
}

/** Whether this token may not be accepted once that has ended. */
export function ends(ending: Ending, token: TokenFacts): boolean {
  switch (ending.kind) {
    case "session":
      return token.sid === ending.sid;
    case "grant":
      return grantOf(token) === ending.grant;
    case "token":
      return token.jti === ending.jti;
    default:
      return ending satisfies never;
  }
}

/** Whether it takes along what lives in that session and hangs on that grant. */
export function endsAll(ending: Ending, { sid, grant }: { readonly sid: string; readonly grant?: string }): boolean {
  if (ending.kind === "session") return ending.sid === sid;
  return ending.kind === "grant" && grant !== undefined && ending.grant === grant;
}

/** Whether the services that this token is for are told of the record. */
export function isToldTo({ audiences }: RecordedRevocation, { aud }: TokenFacts): boolean {
  return audiences === undefined || audiences.includes(aud);
}

/** By docs/revocation-feed.md, written a second time on purpose: the judge does not ask the defendant. */
export function refuses(record: RecordedRevocation, token: TokenFacts): boolean {
  if (record.issuedBefore !== undefined && token.iat >= record.issuedBefore) return false;
  switch (record.kind) {
    case "session":
      return token.sid === record.value;
    case "consent":
      return token.jti.startsWith(`${record.value}.`);
    case "token":
      return token.jti === record.value;
    case "account":
      return token.sub === record.value;
    case "client":
      return token.clientId === record.value;
    case "epoch":
      return true;
    default:
      return false;
  }
}
