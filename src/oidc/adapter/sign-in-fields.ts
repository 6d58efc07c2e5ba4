import type { Dictionary } from "./dictionary.ts";
import { OctetReader, OctetWriter } from "./octets.ts";

/**
 * The fields of one sign-in, as they lie in the store.
 *
 * Each value stays at or below 64 bytes, so that Redis keeps the whole hash as one compact list. What recurs between
 * people is a name in the dictionary; what is long and rare stands in a field of its own.
 *
 *   o        owner: the account
 *   s        the login: begun, authenticated, flags, dictionary name of acr and amr
 *   i        digest of the session id, which is the cookie's value
 *   t        when the session ends unless it is used again
 *   x        state of a sign-out that waits for its confirmation (rare)
 *   a…       a client of this session: flags, grant, client id
 *   g…       a grant: end, begin, dictionary name of client, scopes and resources
 *   r…       a refresh-token family: end, begin, first issued, authenticated, generation, digests, grant, dictionary name
 *   e…       what a family has that most have not, such as the key that it is bound to (rare)
 */
export const FIELD = { owner: "o", login: "s", sessionDigest: "i", sessionEnd: "t", state: "x" } as const;
export const authorizationField = (clientKey: string): string => `a${clientKey}`;
export const grantField = (name: string): string => `g${name}`;
export const familyField = (family: string): string => `r${family}`;
export const familyExtraField = (family: string): string => `e${family}`;

export const FAMILY_DIGEST_BYTES = 12;
export const SECRET_DIGEST_BYTES = 16;
const GRANT_NAME_BYTES = 6;

/** Payload members that recur between people. */
export type Recurring = Readonly<Record<string, unknown>>;

export interface LoginValue {
  readonly begunAt: number;
  readonly authenticatedAt: number;
  readonly isTransient: boolean;
  readonly recurring: Recurring;
}

export interface AuthorizationValue {
  readonly clientId: string;
  readonly hasSid: boolean;
  readonly grantName: string | undefined;
  readonly persistsLogout: boolean;
}

export interface GrantValue {
  readonly endsAt: number;
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
  readonly grantName: string;
  readonly recurring: Recurring;
}

const FLAG_TRANSIENT = 1;
const FLAG_PERSISTS = 1;
const FLAG_GRANT = 2;
const FLAG_SID = 4;
const ACCOUNT_RAW = 0;
const ACCOUNT_TEXT = 1;
const RECURRING_NAMED = 0;
const RECURRING_TEXT = 1;
const ENCODED_MAX = 10_000;

/** Our own account ids are 16 bytes in base64url and shrink to those; any other text is kept as it is. */
export function encodeOwner(accountId: string): Buffer {
  const octets = Buffer.from(accountId, "base64url");
  const isCanonical = octets.toString("base64url") === accountId;
  return isCanonical
    ? Buffer.concat([Buffer.from([ACCOUNT_RAW]), octets])
    : Buffer.concat([Buffer.from([ACCOUNT_TEXT]), Buffer.from(accountId)]);
}

export function decodeOwner(value: Buffer): string {
  return value[0] === ACCOUNT_RAW ? value.toString("base64url", 1) : value.toString("utf8", 1);
}

/** Encodes and decodes the values of a sign-in; asynchronous because a name may have to be looked up once. */
export function createFieldCodec(dictionary: Dictionary) {
  /** By the text as it comes, so that what recurs is put into its canonical form once. */
  const encoded = new Map<string, Buffer>();

  async function encodeRecurring(recurring: Recurring): Promise<Buffer> {
    const key = JSON.stringify(recurring);
    const known = encoded.get(key);
    if (known !== undefined) return known;
    const text = canonicalJson(recurring);
    const name = await dictionary.intern(text);
    if (name === undefined) return Buffer.concat([Buffer.from([RECURRING_TEXT]), Buffer.from(text)]);
    const value = Buffer.concat([Buffer.from([RECURRING_NAMED]), name]);
    if (encoded.size >= ENCODED_MAX) encoded.clear();
    encoded.set(key, value);
    return value;
  }

  async function decodeRecurring(value: Buffer): Promise<Recurring | undefined> {
    if (value.length === 0) return undefined;
    const rest = value.subarray(1);
    const text =
      value[0] === RECURRING_TEXT ? rest.toString("utf8") : (dictionary.peek(rest) ?? (await dictionary.resolve(rest)));
    return text === undefined ? undefined : (JSON.parse(text) as Recurring);
  }

  return {
    async encodeLogin(login: LoginValue): Promise<Buffer> {
      return new OctetWriter()
        .uint32(login.begunAt)
        .uint32(login.authenticatedAt)
        .uint8(login.isTransient ? FLAG_TRANSIENT : 0)
        .octets(await encodeRecurring(login.recurring))
        .end();
    },
    async decodeLogin(value: Buffer): Promise<LoginValue | undefined> {
      const reader = new OctetReader(value);
      const [begunAt, authenticatedAt, flags] = [reader.uint32(), reader.uint32(), reader.uint8()];
      const recurring = await decodeRecurring(reader.rest());
      if (!reader.isIntact || recurring === undefined) return undefined;
      return { begunAt, authenticatedAt, isTransient: (flags & FLAG_TRANSIENT) !== 0, recurring };
    },
    async encodeGrant(grant: GrantValue): Promise<Buffer> {
      return new OctetWriter()
        .uint32(grant.endsAt)
        .uint32(grant.begunAt)
        .octets(await encodeRecurring(grant.recurring))
        .end();
    },
    async decodeGrant(value: Buffer): Promise<GrantValue | undefined> {
      const reader = new OctetReader(value);
      const [endsAt, begunAt] = [reader.uint32(), reader.uint32()];
      const recurring = await decodeRecurring(reader.rest());
      return reader.isIntact && recurring !== undefined ? { endsAt, begunAt, recurring } : undefined;
    },
    async encodeFamily(family: FamilyValue): Promise<Buffer> {
      return new OctetWriter()
        .uint32(family.endsAt)
        .uint32(family.begunAt)
        .uint32(family.firstIssuedAt)
        .uint32(family.authenticatedAt)
        .uint32(family.generation)
        .octets(family.familyDigest)
        .octets(family.secretDigest)
        .octets(Buffer.from(family.grantName, "base64url"))
        .octets(await encodeRecurring(family.recurring))
        .end();
    },
    async decodeFamily(value: Buffer): Promise<FamilyValue | undefined> {
      const { recurringValue, ...head } = readFamilyHead(value);
      const recurring = await decodeRecurring(recurringValue);
      return recurring === undefined ? undefined : { ...head, recurring };
    },
  };
}

export type FieldCodec = ReturnType<typeof createFieldCodec>;

/** What can be read of a refresh-token family without the dictionary. */
export function readFamilyHead(value: Buffer) {
  const reader = new OctetReader(value);
  return {
    endsAt: reader.uint32(),
    begunAt: reader.uint32(),
    firstIssuedAt: reader.uint32(),
    authenticatedAt: reader.uint32(),
    generation: reader.uint32(),
    familyDigest: reader.octets(FAMILY_DIGEST_BYTES),
    secretDigest: reader.octets(SECRET_DIGEST_BYTES),
    grantName: reader.octets(GRANT_NAME_BYTES).toString("base64url"),
    recurringValue: reader.rest(),
  };
}

export function encodeTime(seconds: number): Buffer {
  return new OctetWriter().uint32(seconds).end();
}

/** Times stand first in every value that has an end; 0, which is long past, when the value is cut off. */
export function decodeTime(value: Buffer | undefined): number {
  return value === undefined ? 0 : new OctetReader(value).uint32();
}

export function encodeAuthorization(value: AuthorizationValue): Buffer {
  const flags =
    (value.persistsLogout ? FLAG_PERSISTS : 0) |
    (value.grantName === undefined ? 0 : FLAG_GRANT) |
    (value.hasSid ? FLAG_SID : 0);
  return new OctetWriter()
    .uint8(flags)
    .octets(value.grantName === undefined ? Buffer.alloc(0) : Buffer.from(value.grantName, "base64url"))
    .octets(Buffer.from(value.clientId))
    .end();
}

export function decodeAuthorization(value: Buffer): AuthorizationValue {
  const reader = new OctetReader(value);
  const flags = reader.uint8();
  const grantName = flags & FLAG_GRANT ? reader.octets(GRANT_NAME_BYTES).toString("base64url") : undefined;
  return {
    clientId: reader.rest().toString("utf8"),
    hasSid: (flags & FLAG_SID) !== 0,
    grantName,
    persistsLogout: (flags & FLAG_PERSISTS) !== 0,
  };
}

/** JSON with sorted members and sorted scopes, so that the same content always has the same text. */
function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (name, member: unknown) => {
    if (name === "scope" && typeof member === "string") return member.split(" ").toSorted().join(" ");
    if (typeof member !== "object" || member === null || Array.isArray(member)) return member;
    return Object.fromEntries(Object.entries(member).toSorted(([left], [right]) => (left < right ? -1 : 1)));
  });
}
