import { hmacSha256, randomOctets, randomToken, sha256 } from "../../core/index.ts";

/**
 * The shapes of our identifiers.
 *
 * Everything that hangs on one sign-in begins with its *tag* (12 random bytes, 16 characters): it says where to look,
 * so that a token, its grant and its session are found in one trip, and it is no secret. What follows is: 256 random
 * bits, of which the store keeps a digest only.
 *
 * - session id (the cookie's value), authorization code, opaque access token: tag, secret (32 bytes, 43 characters)
 * - session uid (the `sid` of tokens): the tag
 * - grant id: tag, name (6 bytes, 8 characters); no secret
 * - `jti` of a JWT access token: grant id, dot, 16 random bytes (22 characters); so that a service can tell of what
 *   grant it is, which is what a revocation names
 * - refresh token: tag, family (3 bytes, 4 characters), then generation (4 bytes), family secret (15 bytes) and
 *   secret (32 bytes) in 68 characters
 */
export type SignInTag = string & { readonly brand: "SignInTag" };

const TAG = /^[\w-]{16}$/;
const TAGGED_SECRET = /^([\w-]{16})([\w-]{43})$/;
const GRANT_ID = /^([\w-]{16})([\w-]{8})$/;
const REFRESH_TOKEN = /^([\w-]{16})([\w-]{4})([\w-]{68})$/;

const FAMILY_NAME_BYTES = 3;
export const NONCE_BYTES = 6;

export function newTag(): SignInTag {
  return randomToken(12) as SignInTag;
}

export function parseTag(uid: string): SignInTag | undefined {
  return TAG.test(uid) ? (uid as SignInTag) : undefined;
}

export function newTaggedSecret(tag: string): string {
  return tag + randomToken(32);
}

export function parseTaggedSecret(id: string): { tag: SignInTag; secret: string } | undefined {
  const [, tag, secret] = TAGGED_SECRET.exec(id) ?? [];
  return tag === undefined || secret === undefined ? undefined : { tag: tag as SignInTag, secret };
}

export function newGrantId(tag: string): string {
  return tag + randomToken(6);
}

export function parseGrantId(id: string): { tag: SignInTag; name: string } | undefined {
  const [, tag, name] = GRANT_ID.exec(id) ?? [];
  return tag === undefined || name === undefined ? undefined : { tag: tag as SignInTag, name };
}

export function newAccessTokenId(grantId: string): string {
  return `${grantId}.${randomToken(16)}`;
}

export interface RefreshTokenParts {
  readonly tag: SignInTag;
  readonly family: string;
  /** 0 for the first token of a family; one more with each rotation. */
  readonly generation: number;
  /** The same in every token of the family: who holds any of them can prove that it is genuine. */
  readonly familySecret: Buffer;
  readonly secret: Buffer;
}

/** @param isTaken whether the sign-in has a family of this name: names are short, because each lies in every store. */
export function newRefreshFamily(tag: string, isTaken: (family: string) => boolean = () => false): string {
  let family = randomToken(FAMILY_NAME_BYTES);
  while (isTaken(family)) family = randomToken(FAMILY_NAME_BYTES);
  return composeRefreshToken({
    tag: tag as SignInTag,
    family,
    generation: 0,
    familySecret: randomOctets(15),
    secret: randomOctets(32),
  });
}

/**
 * The one successor of a refresh token, the same however often it is asked for.
 *
 * Its secret is HMAC-SHA-256 under the predecessor's, of the nonce and of what a retry has to share with the first use.
 * The store keeps the nonce, which no client knows, and not the key, which only the predecessor's holder knows: neither
 * the store nor an old token alone gives the successor away, and nothing has to be kept for a retry.
 *
 * @param nonce {@link NONCE_BYTES} random bytes. Whoever has the predecessor would have to guess them at the token
 *   endpoint, where the first wrong guess ends the family, so that 48 bits are plenty.
 */
export function nextInRefreshFamily(predecessor: RefreshTokenParts, nonce: Buffer, binding: string): string {
  const secret = hmacSha256(predecessor.secret, Buffer.concat([nonce, Buffer.from(binding)]));
  return composeRefreshToken({ ...predecessor, generation: predecessor.generation + 1, secret });
}

function composeRefreshToken(parts: RefreshTokenParts): string {
  const generation = Buffer.alloc(4);
  generation.writeUInt32BE(parts.generation);
  return parts.tag + parts.family + Buffer.concat([generation, parts.familySecret, parts.secret]).toString("base64url");
}

export function parseRefreshToken(token: string): RefreshTokenParts | undefined {
  const [, tag, family, rest] = REFRESH_TOKEN.exec(token) ?? [];
  if (tag === undefined || family === undefined || rest === undefined) return undefined;
  const octets = Buffer.from(rest, "base64url");
  return {
    tag: tag as SignInTag,
    family,
    generation: octets.readUInt32BE(0),
    familySecret: octets.subarray(4, 19),
    secret: octets.subarray(19),
  };
}

/** Digest of a secret as the store keeps it. Truncation to 128 bits leaves nothing to guess: the input has 256. */
export function digestOf(secret: string | Uint8Array, byteCount = 16): Buffer {
  return sha256(secret).subarray(0, byteCount);
}

/** The key of everything that hangs on one sign-in; the braces keep it in one slot of a Redis cluster. */
export function signInKey(tag: SignInTag): string {
  return `lk:{${tag}}`;
}

export function isSignInKey(key: string): boolean {
  return /^lk:\{[\w-]{16}\}$/.test(key);
}

/** The key of a single, short-lived thing. `kind` keeps a token of one kind from being found as another. */
export function artifactKey(kind: string, id: string): string {
  const tag = parseTaggedSecret(id)?.tag;
  const digest = digestOf(id).toString("base64url");
  return tag === undefined ? `lk:${kind}:${digest}` : `lk:{${tag}}${kind}:${digest}`;
}
