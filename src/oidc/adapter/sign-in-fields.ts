import type { Dictionary } from "./dictionary.ts";
import { NONCE_BYTES } from "./identifiers.ts";
import { OctetReader, OctetWriter, VARINT_MAX } from "./octets.ts";
import { createRecurringCodec, type Recurring } from "./recurring.ts";

/**
 * The fields of one sign-in, as they lie in the store.
 *
 * Each value stays at or below 64 bytes, so that Redis keeps the whole hash as one compact list. What recurs between
 * people is a name in the dictionary; what is long and rare stands in a field of its own.
 *
 *   o        owner: the account
 *   s        the login: begun, flags, authenticated, dictionary name of acr and amr
 *   i        digest of the session id, which is the cookie's value
 *   t        when the session ends unless it is used again
 *   x        state of a sign-out that waits for its confirmation (rare)
 *   a…       a client of this session that has no grant: flags, client id (rare)
 *   g…       a grant: end, flags (how the session knows its client), begin, dictionary name of client, scopes and resources
 *   r…       a refresh-token family: end, begin, first issued, authenticated, generation, digests, nonce, grant,
 *            dictionary name
 *   e…       what a family has that most have not, such as the key that it is bound to (rare)
 */
export const FIELD = { owner: "o", login: "s", sessionDigest: "i", sessionEnd: "t", state: "x" } as const;
export const authorizationField = (clientKey: string): string => `a${clientKey}`;
export const grantField = (name: string): string => `g${name}`;
export const familyField = (family: string): string => `r${family}`;
export const familyExtraField = (family: string): string => `e${family}`;

/**
 * Of the family's secret: with a preimage one could only end the family, and guessing is done at the token endpoint. Of
 * the living token's secret: 96 bits, and both have to be met.
 */
export const FAMILY_DIGEST_BYTES = 8;
export const SECRET_DIGEST_BYTES = 12;
const GRANT_NAME_BYTES = 6;

export interface LoginValue {
  readonly begunAt: number;
  readonly authenticatedAt: number;
  readonly isTransient: boolean;
  readonly recurring: Recurring;
}

/** How a session knows one of its clients. */
export interface Mention {
  readonly hasSid: boolean;
  readonly persistsLogout: boolean;
}

/** A client of the session that has no grant. */
export interface AuthorizationValue extends Mention {
  readonly clientId: string;
}

export interface GrantValue {
  readonly endsAt: number;
  /** Absent when the session does not know of the grant, not yet or no longer. */
  readonly mention: Mention | undefined;
  readonly begunAt: number;
  readonly recurring: Recurring;
}

export interface FamilyValue {
  readonly endsAt: number;
  readonly begunAt: number;
  readonly firstIssuedAt: number;
  readonly authenticatedAt: number;
  readonly generation: number;
  readonly familyDigest: Buffer;
  readonly secretDigest: Buffer;
  /** What the living token was derived with; {@link NO_NONCE} when its predecessor is not answered any more. */
  readonly nonce: Buffer;
  readonly grantName: string;
  readonly recurring: Recurring;
}

/** Of the first token of a family, and of one that was used without being rotated. */
export const NO_NONCE = Buffer.alloc(NONCE_BYTES);

const FLAG_TRANSIENT = 1;
const FLAG_REAUTHENTICATED = 2;
const FLAG_PERSISTS = 1;
const FLAG_MENTIONED = 2;
const FLAG_SID = 4;
const GRANT_FLAGS_AT = 4;
const OWNER_BYTES = 16;

/** Our own account ids are 16 bytes in base64url and shrink to those; any other text is kept, and has any other length. */
export function encodeOwner(accountId: string): Buffer {
  const octets = Buffer.from(accountId, "base64url");
  if (octets.length === OWNER_BYTES && octets.toString("base64url") === accountId) return octets;
  const text = Buffer.from(`\0${accountId}`);
  return text.length === OWNER_BYTES ? Buffer.concat([Buffer.alloc(1), text]) : text;
}

export function decodeOwner(value: Buffer): string {
  if (value.length === OWNER_BYTES) return value.toString("base64url");
  return value.toString("utf8", value.length === OWNER_BYTES + 1 && value[1] === 0 ? 2 : 1);
}

/** Encodes and decodes the values of a sign-in; asynchronous because a name may have to be looked up once. */
export function createFieldCodec(dictionary: Dictionary) {
  const { encode: encodeRecurring, decode: decodeRecurring } = createRecurringCodec(dictionary);

  return {
    async encodeLogin(login: LoginValue): Promise<Buffer> {
      const { begunAt, authenticatedAt } = login;
      const isReauthenticated = authenticatedAt > begunAt;
      return new OctetWriter()
        .uint32(begunAt)
        .uint8((login.isTransient ? FLAG_TRANSIENT : 0) | (isReauthenticated ? FLAG_REAUTHENTICATED : 0))
        .varint(secondsBetween(Math.min(begunAt, authenticatedAt), Math.max(begunAt, authenticatedAt)))
        .octets(await encodeRecurring(login.recurring))
        .end();
    },
    async decodeLogin(value: Buffer): Promise<LoginValue | undefined> {
      const reader = new OctetReader(value);
      const [begunAt, flags, distance] = [reader.uint32(), reader.uint8(), reader.varint()];
      const recurring = reader.isIntact ? await decodeRecurring(reader.rest()) : undefined;
      if (recurring === undefined) return undefined;
      const authenticatedAt = flags & FLAG_REAUTHENTICATED ? begunAt + distance : begunAt - distance;
      return { begunAt, authenticatedAt, isTransient: (flags & FLAG_TRANSIENT) !== 0, recurring };
    },
    async encodeGrant(grant: GrantValue): Promise<Buffer> {
      return new OctetWriter()
        .uint32(grant.endsAt)
        .uint8(flagsOf(grant.mention))
        .varint(secondsBetween(grant.begunAt, grant.endsAt))
        .octets(await encodeRecurring(grant.recurring))
        .end();
    },
    async decodeGrant(value: Buffer): Promise<GrantValue | undefined> {
      const reader = new OctetReader(value);
      const [endsAt, flags] = [reader.uint32(), reader.uint8()];
      const begunAt = endsAt - reader.varint();
      const recurring = reader.isIntact ? await decodeRecurring(reader.rest()) : undefined;
      return recurring && { endsAt, mention: mentionOf(flags), begunAt, recurring };
    },
    async encodeFamily(family: FamilyValue): Promise<Buffer> {
      const sinceBegin = secondsBetween(family.begunAt, family.endsAt);
      const begunAt = family.endsAt - sinceBegin;
      const sinceFirst = secondsBetween(family.firstIssuedAt, begunAt);
      return new OctetWriter()
        .uint32(family.endsAt)
        .varint(sinceBegin)
        .varint(sinceFirst)
        .varint(secondsBetween(family.authenticatedAt, begunAt - sinceFirst))
        .varint(family.generation)
        .octets(family.familyDigest)
        .octets(family.secretDigest)
        .octets(family.nonce)
        .octets(Buffer.from(family.grantName, "base64url"))
        .octets(await encodeRecurring(family.recurring))
        .end();
    },
    async decodeFamily(value: Buffer): Promise<FamilyValue | undefined> {
      const { isIntact, recurringValue, ...head } = readFamilyHead(value);
      const recurring = isIntact ? await decodeRecurring(recurringValue) : undefined;
      return recurring === undefined ? undefined : { ...head, recurring };
    },
  };
}

export type FieldCodec = ReturnType<typeof createFieldCodec>;

/** What can be read of a refresh-token family without the dictionary. */
export function readFamilyHead(value: Buffer) {
  const reader = new OctetReader(value);
  const endsAt = reader.uint32();
  const begunAt = endsAt - reader.varint();
  const firstIssuedAt = begunAt - reader.varint();
  return {
    endsAt,
    begunAt,
    firstIssuedAt,
    authenticatedAt: firstIssuedAt - reader.varint(),
    generation: reader.varint(),
    familyDigest: reader.octets(FAMILY_DIGEST_BYTES),
    secretDigest: reader.octets(SECRET_DIGEST_BYTES),
    nonce: reader.octets(NONCE_BYTES),
    grantName: reader.octets(GRANT_NAME_BYTES).toString("base64url"),
    recurringValue: reader.rest(),
    isIntact: reader.isIntact,
  };
}

/**
 * Times of a value are kept as distances, because most are short. One that does not fit is moved to the safe side: what
 * lies more than eight years back reads as eight years, and what clocks that disagree put after its successor, as that.
 */
function secondsBetween(earlier: number, later: number): number {
  return Math.min(VARINT_MAX, Math.max(0, later - earlier));
}

export function encodeTime(seconds: number): Buffer {
  return new OctetWriter().uint32(seconds).end();
}

/** Times stand first in every value that has an end; 0, which is long past, when the value is cut off. */
export function decodeTime(value: Buffer | undefined): number {
  return value === undefined ? 0 : new OctetReader(value).uint32();
}

export function encodeAuthorization(value: AuthorizationValue): Buffer {
  return new OctetWriter().uint8(flagsOf(value)).octets(Buffer.from(value.clientId)).end();
}

export function decodeAuthorization(value: Buffer): AuthorizationValue {
  const { hasSid, persistsLogout } = mentionOf(value[0]) ?? { hasSid: false, persistsLogout: false };
  return { clientId: value.toString("utf8", 1), hasSid, persistsLogout };
}

/** How the session knows the grant's client, without the dictionary. */
export function readMention(grant: Buffer): Mention | undefined {
  return mentionOf(grant[GRANT_FLAGS_AT]);
}

/** The grant as it is, but for how the session knows it. */
export function withMention(grant: Buffer, mention: Mention | undefined): Buffer {
  const changed = Buffer.from(grant);
  changed[GRANT_FLAGS_AT] = flagsOf(mention);
  return changed;
}

function flagsOf(mention: Mention | undefined): number {
  if (mention === undefined) return 0;
  return FLAG_MENTIONED | (mention.persistsLogout ? FLAG_PERSISTS : 0) | (mention.hasSid ? FLAG_SID : 0);
}

function mentionOf(flags = 0): Mention | undefined {
  if ((flags & FLAG_MENTIONED) === 0) return undefined;
  return { hasSid: (flags & FLAG_SID) !== 0, persistsLogout: (flags & FLAG_PERSISTS) !== 0 };
}
