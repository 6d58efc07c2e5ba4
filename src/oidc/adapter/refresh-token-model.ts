import type { AdapterPayload } from "oidc-provider";
import { epochSeconds } from "../../core/index.ts";
import { digestOf, parseGrantId, parseRefreshToken, type RefreshTokenParts } from "./identifiers.ts";
import { standingOf } from "./refreshes.ts";
import { currentRequestScope } from "./request-scope.ts";
import { createRotationDecision, type FamilyWrite, type RotationDeps } from "./rotation.ts";
import {
  decodeOwner,
  FAMILY_DIGEST_BYTES,
  familyExtraField,
  familyField,
  type FamilyValue,
  FIELD,
  NO_NONCE,
  SECRET_DIGEST_BYTES,
} from "./sign-in-fields.ts";
import type { SignIns } from "./sign-ins.ts";
import type { Fields } from "./store.ts";

/** Long and rare, so kept beside the family and not in it. */
const EXTRA_MEMBERS = ["claims", "rar", "jkt", "x5t#S256", "attestationJkt"] as const;

/** Members that do not recur: in the key, in the family's head, beside the family, or not kept at all. */
const ELSEWHERE_MEMBERS: ReadonlySet<string> = new Set([
  ...EXTRA_MEMBERS,
  "kind",
  "jti",
  "iat",
  "exp",
  "iiat",
  "authTime",
  "rotations",
  "consumed",
  "nonce",
  "accountId",
  "grantId",
  "sessionUid",
  "sid",
]);

export interface RefreshTokenModelDeps extends RotationDeps {
  readonly signIns: SignIns;
}

/**
 * Refresh tokens, of which the store knows one entry a family: the living token's generation and digest.
 *
 * Using a token writes its successor in the same atomic step that ends it, so that one of many parallel uses wins and
 * a crash leaves either the old token or the new one. Any other token of the family is recognized by the family's
 * secret and reads as consumed, which makes the library revoke the grant; `refreshes.ts` tells a retry before that.
 * Writing the living token once more prolongs it. In a refresh the successor's write waits for `completeRefresh`.
 *
 * The `nonce` is not kept: a refreshed ID token should carry none (OpenID Connect Core 1.0, section 12.2).
 */
export function createRefreshTokenModel(deps: RefreshTokenModelDeps) {
  const { signIns, codec, clock } = deps;
  const decideRotation = createRotationDecision(deps);

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
      secretDigest: digestOf(token.secret, SECRET_DIGEST_BYTES),
      nonce: token.generation === 0 ? NO_NONCE : (currentRequestScope()?.refresh?.nonce ?? NO_NONCE),
      grantName,
      recurring: recurringMembers(payload, token.tag),
    });
    const members = EXTRA_MEMBERS.filter((member) => payload[member] !== undefined);
    const extra = JSON.stringify(Object.fromEntries(members.map((member) => [member, payload[member]])));
    return {
      family,
      endsAt: payload.exp ?? 0,
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
      const write = () => signIns.change(token.tag, (fields) => decideRotation(token, value, fields));
      const refresh = currentRequestScope()?.refresh;
      if (refresh?.nonce === undefined) await write();
      else refresh.rotation = write;
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

/** What recurs between people. The session's id stands in the key already, so that only its presence is noted. */
function recurringMembers(payload: AdapterPayload, tag: string): Record<string, unknown> {
  const members = Object.entries(payload).filter(([member]) => !ELSEWHERE_MEMBERS.has(member));
  return { ...Object.fromEntries(members), ...(payload["sid"] === tag ? { sid: true } : {}) };
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
