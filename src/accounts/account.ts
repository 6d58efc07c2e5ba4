/** A person who can sign in. Holds nothing that would let anybody else do so. */
export interface Account {
  /** The `sub` of every token: 128 random bits in base64url, never reused. */
  readonly id: string;
  /** As it was typed, but for white space around it and the domain's case. Mail goes here and to no other spelling. */
  readonly email: string;
  readonly emailVerified: boolean;
  readonly name: string;
  /** A BCP 47 tag in its canonical case. */
  readonly locale: string | undefined;
  /** Hashing the same password anew does not count. */
  readonly passwordChangedAt: Date;
  /** What was proved before, half way through a sign-in, counts for nothing; absent when that never happened. */
  readonly proofsSince: Date | undefined;
  readonly createdAt: Date;
  /** When the person's data last changed; hashing a password anew does not count. */
  readonly updatedAt: Date;
  readonly disabledAt: Date | undefined;
}

/** Where a request came from. */
export interface RequestSource {
  /** An IPv4 or IPv6 address, resolved behind trusted proxies only: whoever can choose it escapes the throttle. */
  readonly address: string;
  readonly requestId?: string | undefined;
}
