import { type AdapterPayload, errors } from "oidc-provider";
import { type Clock, epochSeconds, equalOctets } from "../../core/index.ts";
import { digestOf, parseGrantId, parseRefreshToken, type RefreshTokenParts } from "./identifiers.ts";
import {
  decodeOwner,
  decodeTime,
  encodeTime,
  FAMILY_DIGEST_BYTES,
  familyExtraField,
  familyField,
  type FamilyValue,
  FIELD,
  type FieldCodec,
  grantField,
} from "./sign-in-fields.ts";
import type { SignInChange, SignIns } from "./sign-ins.ts";
import type { Fields } from "./store.ts";

/** Long and rare, so kept beside the family and not in it. */
const EXTRA_MEMBERS = ["claims", "rar", "jkt", "x5t#S256", "attestationJkt"] as const;

export interface RefreshTokenModelDeps {
  readonly signIns: SignIns;
  readonly codec: FieldCodec;
  readonly clock: Clock;
  /** When a session that began then ends if it is used now; seconds since the Unix epoch. */
  readonly sessionEndAt: (begunAtSeconds: number) => number;
}

/**
 * Refresh tokens, of which the store knows one entry a family: the living token's generation and digest.
 *
 * Using a token writes its successor in the same atomic step that ends it, so that one of many parallel uses wins and
 * a crash leaves either the old token or the new one. An older token of the family is recognized by the family's
 * secret and reads as consumed, which makes the library revoke the grant.
 *
 * The `nonce` is not kept: a refreshed ID token should carry none (OpenID Connect Core 1.0, section 12.2).
 */
export function createRefreshTokenModel(deps: RefreshTokenModelDeps) {
  const { signIns, codec, clock } = deps;

  async function decideRotation(token: RefreshTokenParts, value: FamilyWrite, fields: Fields): Promise<SignInChange> {
    const name = familyField(token.family);
    const previous = fields.get(name);
    const isFirst = token.generation === 0;
    if (isFirst !== (previous === undefined)) throw new errors.InvalidGrant("the refresh token was revoked");
    if (previous !== undefined) {
      const family = await codec.decodeFamily(previous);
      if (family?.generation !== token.generation - 1)
        throw new errors.InvalidGrant("the refresh token was used already");
    }
    const grant = grantField(value.grantName);
    if (!fields.has(grant)) throw new errors.InvalidGrant("the grant was revoked");
    // A code may be redeemed some seconds after the sign-out that should have prevented it.
    const needsSession = value.isBoundToSession || isFirst;
    if (needsSession && !fields.has(FIELD.login)) throw new errors.InvalidGrant("the session ended");
    const set = new Map([[name, value.family], ...value.extra, ...(await prolongSession(fields))]);
    return { unchanged: [name, grant, ...(needsSession ? [FIELD.login] : [])], set };
  }

  /** Refreshing is using the session, which so does not end while an app is in use. */
  async function prolongSession(fields: Fields): Promise<[string, Buffer][]> {
    const login = fields.get(FIELD.login);
    const session = login && (await codec.decodeLogin(login));
    const end = decodeTime(fields.get(FIELD.sessionEnd));
    if (session === undefined || end <= epochSeconds(clock)) return [];
    return [[FIELD.sessionEnd, encodeTime(Math.max(end, deps.sessionEndAt(session.begunAt)))]];
  }

  async function encode(token: RefreshTokenParts, payload: AdapterPayload): Promise<FamilyWrite> {
    const grantName = parseGrantId(payload.grantId ?? "")?.name;
    if (grantName === undefined) throw new Error("a refresh token needs a grant of ours");
    const now = epochSeconds(clock);
    const family = await codec.encodeFamily({
      endsAt: payload.exp ?? 0,
      begunAt: payload.iat ?? now,
      firstIssuedAt: payload.iiat ?? now,
      authenticatedAt: payload.authTime ?? 0,
      generation: token.generation,
      familyDigest: digestOf(token.familySecret, FAMILY_DIGEST_BYTES),
      secretDigest: digestOf(token.secret),
      grantName,
      recurring: recurringMembers(payload, token.tag),
    });
    const members = EXTRA_MEMBERS.filter((member) => payload[member] !== undefined);
    const extra = JSON.stringify(Object.fromEntries(members.map((member) => [member, payload[member]])));
    return {
      family,
      grantName,
      isBoundToSession: payload.expiresWithSession === true,
      extra: members.length === 0 ? [] : [[familyExtraField(token.family), Buffer.from(extra)]],
    };
  }

  return {
    async find(id: string): Promise<AdapterPayload | undefined> {
      const token = parseRefreshToken(id);
      if (token === undefined) return undefined;
      const fields = await signIns.load(token.tag);
      const value = fields.get(familyField(token.family));
      const owner = fields.get(FIELD.owner);
      const family = value && (await codec.decodeFamily(value));
      if (family === undefined || owner === undefined) return undefined;
      const standing = standingOf(token, family);
      if (standing === "foreign") return undefined;
      return toPayload({ id, token, family, fields, owner: decodeOwner(owner), isConsumed: standing === "consumed" });
    },
    async upsert(id: string, payload: AdapterPayload): Promise<void> {
      const token = parseRefreshToken(id);
      if (token === undefined) throw new Error("a refresh token needs an id of ours");
      const value = await encode(token, payload);
      await signIns.change(token.tag, (fields) => decideRotation(token, value, fields));
    },
    /** Nothing yet: the write of the successor, which always follows, is the step that consumes. */
    async consume(_id: string): Promise<void> {},
    async destroy(id: string): Promise<void> {
      const token = parseRefreshToken(id);
      if (token === undefined) return;
      await signIns.change(token.tag, (fields) => {
        const name = familyField(token.family);
        return fields.has(name) ? { unchanged: [name], drop: [name, familyExtraField(token.family)] } : undefined;
      });
    },
  };
}

interface FamilyWrite {
  readonly family: Buffer;
  readonly grantName: string;
  readonly isBoundToSession: boolean;
  readonly extra: readonly [string, Buffer][];
}

function standingOf(token: RefreshTokenParts, family: FamilyValue): "living" | "consumed" | "foreign" {
  if (!equalOctets(family.familyDigest, digestOf(token.familySecret, FAMILY_DIGEST_BYTES))) return "foreign";
  if (token.generation < family.generation) return "consumed";
  const isLiving = token.generation === family.generation && equalOctets(family.secretDigest, digestOf(token.secret));
  return isLiving ? "living" : "foreign";
}

/** What recurs between people. The session's id stands in the key already, so that only its presence is noted. */
function recurringMembers(payload: AdapterPayload, tag: string): Record<string, unknown> {
  const {
    kind,
    jti,
    iat,
    exp,
    iiat,
    authTime,
    rotations,
    consumed,
    nonce,
    accountId,
    grantId,
    sessionUid,
    sid,
    ...rest
  } = payload;
  const recurring: Record<string, unknown> = { ...rest, ...(sid === tag ? { sid: true } : {}) };
  for (const member of EXTRA_MEMBERS) delete recurring[member];
  return recurring;
}

function toPayload(found: {
  id: string;
  token: RefreshTokenParts;
  family: FamilyValue;
  fields: Fields;
  owner: string;
  isConsumed: boolean;
}): AdapterPayload {
  const { id, token, family, fields } = found;
  const extra = fields.get(familyExtraField(token.family));
  const { sid, ...recurring } = family.recurring;
  return {
    ...recurring,
    ...(extra === undefined ? {} : (JSON.parse(extra.toString("utf8")) as Record<string, unknown>)),
    kind: "RefreshToken",
    jti: id,
    iat: family.begunAt,
    exp: family.endsAt,
    iiat: family.firstIssuedAt,
    authTime: family.authenticatedAt,
    accountId: found.owner,
    grantId: token.tag + family.grantName,
    sessionUid: token.tag,
    ...(sid === true ? { sid: token.tag } : {}),
    ...(token.generation > 0 ? { rotations: token.generation } : {}),
    ...(found.isConsumed ? { consumed: family.begunAt } : {}),
  };
}
