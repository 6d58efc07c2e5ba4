import { errors } from "oidc-provider";
import { type Clock, epochSeconds } from "../../core/index.ts";
import type { RefreshTokenParts } from "./identifiers.ts";
import { isSecretOf } from "./refreshes.ts";
import { currentRequestScope } from "./request-scope.ts";
import {
  decodeTime,
  encodeTime,
  familyExtraField,
  familyField,
  FIELD,
  type FieldCodec,
  grantField,
  NO_NONCE,
  readFamilyHead,
} from "./sign-in-fields.ts";
import type { SignInChange } from "./sign-ins.ts";
import type { Fields } from "./store.ts";

/** Refresh-token families that one client may have in one sign-in. */
export const FAMILIES_PER_GRANT_MAX = 10;

/** A token that does not rotate is written again when its end moves by as much, and not at every use. */
const RENEWAL_STEP_SECONDS = 60;

/** What a new token of a family leaves in the store. */
export interface FamilyWrite {
  readonly family: Buffer;
  /** Seconds since the Unix epoch. */
  readonly endsAt: number;
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
 * Decides whether a refresh token may take its place in its family: as the first, as the next one after the living, or
 * as the living one with a later end.
 *
 * @throws InvalidGrant to all but one of many parallel rotations, and when the grant or the session is over.
 */
export function createRotationDecision(deps: RotationDeps) {
  const { codec, clock } = deps;

  /** Refreshing is using the session, which so does not end while an app is in use. */
  async function prolongSession(fields: Fields): Promise<[string, Buffer][]> {
    const login = fields.get(FIELD.login);
    const session = login && (await codec.decodeLogin(login));
    const end = decodeTime(fields.get(FIELD.sessionEnd));
    if (session === undefined || end <= epochSeconds(clock)) return [];
    const next = deps.sessionEndAt(session.begunAt);
    return next > end ? [[FIELD.sessionEnd, encodeTime(next)]] : [];
  }

  /** The living token, used by a client that proves who it is each time: it stays, and ends later. */
  async function renew(
    token: RefreshTokenParts,
    value: FamilyWrite,
    fields: Fields,
  ): Promise<SignInChange | undefined> {
    const name = familyField(token.family);
    const family = readFamilyHead(fields.get(name) ?? Buffer.alloc(0));
    const isLater = value.endsAt - family.endsAt >= RENEWAL_STEP_SECONDS;
    // What was used must not be handed out to a late retry of its predecessor.
    const isWorthIt = isLater || !family.nonce.equals(NO_NONCE);
    const set = new Map([...(isWorthIt ? [[name, value.family] as const] : []), ...(await prolong(value, fields))]);
    return set.size === 0 ? undefined : { unchanged: dependingOn(token, value), set };
  }

  /** What outlives the session does not use it, and must not write to it: it may be over. */
  const prolong = async (value: FamilyWrite, fields: Fields): Promise<[string, Buffer][]> =>
    value.isBoundToSession ? prolongSession(fields) : [];

  return async (token: RefreshTokenParts, value: FamilyWrite, fields: Fields): Promise<SignInChange | undefined> => {
    const name = familyField(token.family);
    const previous = fields.get(name);
    const isFirst = token.generation === 0 && previous === undefined;
    if (!isFirst && previous === undefined) throw new errors.InvalidGrant("the refresh token was revoked");
    if (!fields.has(grantField(value.grantName))) throw new errors.InvalidGrant("the grant was revoked");
    // A code may be redeemed some seconds after the sign-out that should have prevented it.
    if ((value.isBoundToSession || isFirst) && !fields.has(FIELD.login))
      throw new errors.InvalidGrant("the session ended");
    const family = previous && readFamilyHead(previous);
    if (family !== undefined && family.generation === token.generation && isSecretOf(token, family))
      return renew(token, value, fields);
    if (family !== undefined && family.generation !== token.generation - 1) throw lostRace();
    const prolonged = isFirst ? await prolongSession(fields) : await prolong(value, fields);
    return {
      unchanged: isFirst ? [...dependingOn(token, value), FIELD.login] : dependingOn(token, value),
      set: new Map([[name, value.family], ...value.extra, ...prolonged]),
      drop: isFirst ? familiesToGiveUp(fields, value.grantName) : [],
    };
  };
}

/** The token was living when this request looked, so that it is no thief's; its successor is there to be answered. */
function lostRace(): Error {
  const refresh = currentRequestScope()?.refresh;
  if (refresh !== undefined) refresh.isLost = true;
  return new errors.InvalidGrant("the refresh token was used already");
}

function dependingOn(token: RefreshTokenParts, value: FamilyWrite): string[] {
  const own = [familyField(token.family), grantField(value.grantName)];
  return value.isBoundToSession ? [...own, FIELD.login] : own;
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
