import { errors } from "oidc-provider";
import { type Clock, epochSeconds } from "../../core/index.ts";
import type { RefreshTokenParts } from "./identifiers.ts";
import {
  decodeTime,
  encodeTime,
  familyExtraField,
  familyField,
  FIELD,
  type FieldCodec,
  grantField,
  readFamilyHead,
} from "./sign-in-fields.ts";
import type { SignInChange } from "./sign-ins.ts";
import type { Fields } from "./store.ts";

/** Refresh-token families that one client may have in one sign-in. */
export const FAMILIES_PER_GRANT_MAX = 10;

/** What a new token of a family leaves in the store. */
export interface FamilyWrite {
  readonly family: Buffer;
  readonly grantName: string;
  readonly isBoundToSession: boolean;
  readonly extra: readonly [string, Buffer][];
}

export interface RotationDeps {
  readonly codec: FieldCodec;
  readonly clock: Clock;
  /** When a session that began then ends if it is used now; seconds since the Unix epoch. */
  readonly sessionEndAt: (begunAtSeconds: number) => number;
}

/**
 * Decides whether a refresh token may take its place in its family: as the first, or as the next one after the living.
 *
 * @throws InvalidGrant to all but one of many parallel uses, and when the grant or the session is over.
 */
export function createRotationDecision(deps: RotationDeps) {
  const { codec, clock } = deps;

  /** Refreshing is using the session, which so does not end while an app is in use. */
  async function prolongSession(fields: Fields): Promise<[string, Buffer][]> {
    const login = fields.get(FIELD.login);
    const session = login && (await codec.decodeLogin(login));
    const end = decodeTime(fields.get(FIELD.sessionEnd));
    if (session === undefined || end <= epochSeconds(clock)) return [];
    return [[FIELD.sessionEnd, encodeTime(Math.max(end, deps.sessionEndAt(session.begunAt)))]];
  }

  return async (token: RefreshTokenParts, value: FamilyWrite, fields: Fields): Promise<SignInChange> => {
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
    // What outlives the session does not use it, and must not write to it: it may be over.
    const prolonged = needsSession ? await prolongSession(fields) : [];
    const set = new Map([[name, value.family], ...value.extra, ...prolonged]);
    const drop = isFirst ? familiesToGiveUp(fields, value.grantName) : [];
    return { unchanged: [name, grant, ...(needsSession ? [FIELD.login] : [])], set, drop };
  };
}

/**
 * A silent sign-in for every page that an app opens would leave a family each, for weeks. An app keeps as many as it has
 * tabs; those that were not used for the longest go.
 */
function familiesToGiveUp(fields: Fields, grantName: string): string[] {
  const families = [...fields].flatMap(([name, value]) => {
    if (name.length < 2 || !name.startsWith("r")) return [];
    const head = readFamilyHead(value);
    return head.grantName === grantName ? [{ name, usedAt: head.begunAt }] : [];
  });
  return families
    .toSorted((left, right) => right.usedAt - left.usedAt)
    .slice(FAMILIES_PER_GRANT_MAX - 1)
    .flatMap(({ name }) => [name, familyExtraField(name.slice(1))]);
}
