/** What a token says of itself, as far as revocation looks at it. */
export interface RevocableToken {
  /** The sign-in; absent in tokens that do not hang on one. */
  readonly sid?: string;
  /** `<grant>.<random>` in a person's token, where a grant is what one client may do in one sign-in. */
  readonly jti: string;
  readonly sub: string;
  readonly client_id: string;
  /** Seconds since the epoch. */
  readonly iat: number;
  /** The key that signed the token, from its header; empty where nothing was signed. */
  readonly kid: string;
}

/** One revocation, as the feed and the server's table have it. Times are in seconds since the epoch. */
export interface RevocationRecord {
  readonly kind: string;
  readonly value: string;
  /** Refuses only what was issued before this; absent: whenever it was issued. */
  readonly issuedBefore?: number;
  /** From here on no token is left that it could refuse. */
  readonly expiresAt: number;
}

const KINDS = ["session", "consent", "account", "client", "token", "key", "epoch"] as const;
type Kind = (typeof KINDS)[number];

interface Bound {
  readonly issuedBefore: number;
  readonly expiresAt: number;
}

/**
 * The revocations that still matter. The server asks it as the verifier does, so that both mean the same by a record.
 *
 * A question costs one look-up a kind and no allocation worth the name, whatever the number of records.
 */
export class RevokedSet {
  readonly #bounds: Readonly<Record<Kind, Map<string, Bound>>> = {
    session: new Map(),
    consent: new Map(),
    account: new Map(),
    client: new Map(),
    token: new Map(),
    key: new Map(),
    epoch: new Map(),
  };

  /** False: the kind is not known, and so nobody can say what this record refuses. */
  add(record: RevocationRecord): boolean {
    const { kind } = record;
    if (!isKnown(kind)) return false;
    const bounds = this.#bounds[kind];
    const before = bounds.get(record.value);
    const issuedBefore = record.issuedBefore ?? Number.POSITIVE_INFINITY;
    // Of two records about one thing neither may undo the other, in whichever order they come.
    bounds.set(record.value, {
      issuedBefore: Math.max(issuedBefore, before?.issuedBefore ?? Number.NEGATIVE_INFINITY),
      expiresAt: Math.max(record.expiresAt, before?.expiresAt ?? Number.NEGATIVE_INFINITY),
    });
    return true;
  }

  clear(): void {
    for (const kind of KINDS) this.#bounds[kind].clear();
  }

  /** Drops what expired at `nowSeconds` or before. */
  forgetExpired(nowSeconds: number): void {
    for (const kind of KINDS) {
      for (const [value, bound] of this.#bounds[kind]) {
        if (bound.expiresAt <= nowSeconds) this.#bounds[kind].delete(value);
      }
    }
  }

  isRevoked(token: RevocableToken): boolean {
    const { iat } = token;
    return (
      this.#refuses("token", token.jti, iat) ||
      (token.sid !== undefined && this.#refuses("session", token.sid, iat)) ||
      this.#refusesGrantOf(token) ||
      this.#refuses("account", token.sub, iat) ||
      this.#refuses("client", token.client_id, iat) ||
      this.#refuses("key", token.kid, iat) ||
      this.#isOfRefusedEpoch(iat)
    );
  }

  get size(): number {
    return KINDS.reduce((sum, kind) => sum + this.#bounds[kind].size, 0);
  }

  #refuses(kind: Kind, value: string, iat: number): boolean {
    const bounds = this.#bounds[kind];
    if (bounds.size === 0) return false;
    const bound = bounds.get(value);
    return bound !== undefined && isBefore(iat, bound.issuedBefore);
  }

  /** A grant's name is base64url and holds no dot, so it is all that stands before the first one. */
  #refusesGrantOf({ jti, iat }: RevocableToken): boolean {
    if (this.#bounds.consent.size === 0) return false;
    const dot = jti.indexOf(".");
    return dot > 0 && this.#refuses("consent", jti.slice(0, dot), iat);
  }

  #isOfRefusedEpoch(iat: number): boolean {
    for (const { issuedBefore } of this.#bounds.epoch.values()) {
      if (isBefore(iat, issuedBefore)) return true;
    }
    return false;
  }
}

/** Written so that a time that is no number counts as before: what cannot be compared is refused. */
function isBefore(iat: number, issuedBefore: number): boolean {
  return !(iat >= issuedBefore);
}

function isKnown(kind: string): kind is Kind {
  return (KINDS as readonly string[]).includes(kind);
}
