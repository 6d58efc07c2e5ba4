import type { Ending } from "./ending.ts";

/**
 * What happened, as those saw it who asked. All times are of one clock, in milliseconds. Whether a call had an effect is
 * certain only when it was answered: what is `unknown` may have happened, or happen later.
 */
export interface History {
  readonly calls: readonly LoggedCall[];
  /** The revocations as they were committed. */
  readonly records: readonly RecordedRevocation[];
  readonly staleAfterMs: number;
}

interface Call {
  readonly startMs: number;
  /** Infinity: there was no answer. */
  readonly endMs: number;
}

/** What a token says of itself, as far as its end can depend on it. */
export interface TokenFacts {
  readonly jti: string;
  readonly sid: string;
  readonly aud: string;
  readonly sub: string;
  readonly clientId: string;
  readonly iat: number;
}

export interface RecordedRevocation {
  readonly id: number;
  readonly kind: string;
  readonly value: string;
  readonly issuedBefore?: number | undefined;
  /** Absent: all services are told. */
  readonly audiences?: readonly string[] | undefined;
}

/** A code or a refresh token was presented to the token endpoint. */
export interface Issuance extends Call {
  readonly type: "issuance";
  readonly by: "code" | "refresh_token";
  readonly presented: string;
  readonly answer:
    | { readonly type: "issued"; readonly token: TokenFacts; readonly refreshToken: string }
    | { readonly type: "refused" }
    /** `status`: it was answered, with neither tokens nor `invalid_grant`. */
    | { readonly type: "unknown"; readonly status?: number | undefined };
  /** Absent unless an honest client presented its living token, for the first time at that moment. */
  readonly honest?: { readonly sid: string; readonly grant: string; readonly sinceMs: number };
}

/** Something ended access, or tried to. */
export interface EndingCall extends Call {
  readonly type: "ending";
  readonly ending: Ending;
  readonly answer: "acknowledged" | "unknown";
}

/** A service was shown an access token. */
export interface Verification extends Call {
  readonly type: "verification";
  readonly verifier: string;
  readonly onStale: "introspect" | "reject" | "accept";
  readonly token: TokenFacts;
  /** The last revocation that the verifier had applied when it was asked; absent: none that can be named. */
  readonly position: number | undefined;
  /** `accepted`, or the code of the refusal. */
  readonly answer: string;
}

export interface Introspection extends Call {
  readonly type: "introspection";
  readonly node: string;
  readonly token: TokenFacts;
  readonly answer: "active" | "inactive" | "unknown";
}

/** After everything was mended: does it still let somebody in? */
export interface Trial extends Call {
  readonly type: "trial";
  readonly of: "access_token" | "cookie" | "refresh_token";
  readonly at: string;
  readonly sid: string;
  /** Absent for a cookie. */
  readonly grant?: string;
  /** Absent unless it is about an access token. */
  readonly token?: TokenFacts;
  readonly answer: "usable" | "refused";
}

export type LoggedCall = Issuance | EndingCall | Verification | Introspection | Trial;
