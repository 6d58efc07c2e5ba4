import { type AdapterPayload, errors } from "oidc-provider";
import { type Clock, epochSeconds, equalOctets, sha256 } from "../../core/index.ts";
import { digestOf, parseTag, parseTaggedSecret, type SignInTag } from "./identifiers.ts";
import type { SignInIndex } from "./sign-in-index.ts";
import {
  authorizationField,
  decodeAuthorization,
  decodeOwner,
  decodeTime,
  encodeAuthorization,
  encodeOwner,
  encodeTime,
  familyField,
  FIELD,
  type FieldCodec,
  readFamilyHead,
} from "./sign-in-fields.ts";
import type { SignInChange, SignIns } from "./sign-ins.ts";
import type { Fields } from "./store.ts";

type Authorizations = NonNullable<AdapterPayload["authorizations"]>;

/** What a session was when this request loaded it: only what the request changed itself is written. */
interface LoadedSession {
  /** The fields of its clients, as they were stored. */
  readonly authorizations: Fields;
  readonly login: Buffer;
  readonly owner: Buffer | undefined;
  readonly state: Buffer | undefined;
  readonly digest: Buffer | undefined;
}

export interface SessionModelDeps {
  readonly signIns: SignIns;
  readonly codec: FieldCodec;
  readonly index: SignInIndex;
  readonly clock: Clock;
}

/**
 * Sessions, of which the library always writes all that it knows.
 *
 * We write the difference to what this request had loaded: authorizations of other clients that parallel requests added
 * stay, and a session that was ended meanwhile is not written at all.
 */
export function createSessionModel(deps: SessionModelDeps) {
  const { signIns, codec, index, clock } = deps;
  /** By the very object that the library carries along with the session. */
  const loadedSessions = new WeakMap<Authorizations, LoadedSession>();
  const loadedOf = (payload: AdapterPayload): LoadedSession | undefined =>
    payload.authorizations && loadedSessions.get(payload.authorizations);

  async function toPayload(tag: SignInTag, fields: Fields): Promise<AdapterPayload | undefined> {
    const login = fields.get(FIELD.login);
    const end = decodeTime(fields.get(FIELD.sessionEnd));
    if (login === undefined || end <= epochSeconds(clock)) return undefined;
    const decoded = await codec.decodeLogin(login);
    if (decoded === undefined) return undefined;
    const owner = fields.get(FIELD.owner);
    const state = fields.get(FIELD.state);
    const authorizations = readAuthorizations(tag, fields);
    const digest = fields.get(FIELD.sessionDigest);
    loadedSessions.set(authorizations, { authorizations: authorizationFields(fields), login, owner, state, digest });
    return {
      kind: "Session",
      uid: tag,
      iat: decoded.begunAt,
      exp: end,
      ...(owner === undefined ? {} : { accountId: decodeOwner(owner), loginTs: decoded.authenticatedAt }),
      ...decoded.recurring,
      ...(decoded.isTransient ? { transient: true } : {}),
      ...(state === undefined ? {} : { state: JSON.parse(state.toString("utf8")) as Record<string, unknown> }),
      authorizations,
    };
  }

  async function decide(id: string, payload: AdapterPayload, fields: Fields): Promise<SignInChange> {
    const loaded = loadedOf(payload);
    const owner = payload.accountId === undefined ? undefined : encodeOwner(payload.accountId);
    if (loaded !== undefined && !fields.has(FIELD.login)) {
      throw new errors.SessionNotFound("the session ended while it was used");
    }
    if (fields.has(FIELD.owner) && !fields.get(FIELD.owner)?.equals(owner ?? Buffer.alloc(0))) {
      throw new errors.SessionNotFound("the session belongs to another account");
    }
    const set = new Map<string, Buffer>();
    const login = await encodeLogin(payload);
    const secret = parseTaggedSecret(id)?.secret;
    const digest = secret === undefined ? loaded?.digest : digestOf(secret);
    if (owner !== undefined) set.set(FIELD.owner, owner);
    if (!loaded?.login.equals(login)) set.set(FIELD.login, login);
    if (digest !== undefined && !loaded?.digest?.equals(digest)) set.set(FIELD.sessionDigest, digest);
    set.set(FIELD.sessionEnd, encodeTime(Math.max(payload.exp ?? 0, decodeTime(fields.get(FIELD.sessionEnd)))));
    const drop: string[] = [];
    if (payload.state === undefined && loaded?.state !== undefined) drop.push(FIELD.state);
    const state = payload.state && Buffer.from(JSON.stringify(payload.state));
    if (state !== undefined && !loaded?.state?.equals(state)) set.set(FIELD.state, state);
    drop.push(...writeAuthorizations(payload.authorizations ?? {}, loaded?.authorizations ?? new Map(), set));
    return { unchanged: [FIELD.owner, FIELD.login], set: onlyChanged(set, fields), drop };
  }

  function encodeLogin(payload: AdapterPayload): Promise<Buffer> {
    return codec.encodeLogin({
      begunAt: payload.iat ?? epochSeconds(clock),
      authenticatedAt: payload.loginTs ?? 0,
      isTransient: payload.transient === true,
      recurring: {
        ...(payload.acr === undefined ? {} : { acr: payload.acr }),
        ...(payload.amr === undefined ? {} : { amr: payload.amr }),
      },
    });
  }

  return {
    async find(id: string) {
      const parts = parseTaggedSecret(id);
      if (parts === undefined) return undefined;
      const fields = await signIns.load(parts.tag);
      const digest = fields.get(FIELD.sessionDigest);
      if (digest === undefined || !equalOctets(digest, digestOf(parts.secret))) return undefined;
      const payload = await toPayload(parts.tag, fields);
      return payload && { ...payload, jti: id };
    },
    async findByUid(uid: string) {
      const tag = parseTag(uid);
      return tag === undefined ? undefined : toPayload(tag, await signIns.load(tag));
    },
    async upsert(id: string, payload: AdapterPayload) {
      const tag = parseTag(payload.uid ?? "");
      if (tag === undefined) throw new Error("a session needs a tag as its uid");
      // Nobody is signed in and no sign-out waits: there is nothing that would have to be found again.
      if (payload.accountId === undefined && payload.state === undefined) return;
      const isNewToAccount = loadedOf(payload)?.owner === undefined;
      if (payload.accountId !== undefined && isNewToAccount) await index.add(payload.accountId, tag);
      await signIns.change(tag, (fields) => decide(id, payload, fields));
    },
    async destroy(id: string) {
      const tag = parseTaggedSecret(id)?.tag;
      if (tag === undefined) return;
      const fields = await signIns.load(tag);
      const staying = grantsThatPersist(fields);
      if (staying.size > 0) {
        await signIns.change(tag, (present) => endSession(present, staying));
        // A parallel request may have added a client between our read and our write; from here on none can.
        await signIns.reload(tag);
        await signIns.change(tag, (present) => endSession(present, staying));
        return;
      }
      await signIns.delete(tag);
      const owner = fields.get(FIELD.owner);
      if (owner !== undefined) await index.remove(decodeOwner(owner), tag);
    },
  };
}

function readAuthorizations(tag: SignInTag, fields: Fields): Authorizations {
  const authorizations: Authorizations = {};
  for (const [name, value] of fields) {
    if (!/^a./.test(name)) continue;
    const { clientId, grantName, hasSid, persistsLogout } = decodeAuthorization(value);
    authorizations[clientId] = {
      ...(hasSid ? { sid: tag } : {}),
      ...(grantName === undefined ? {} : { grantId: tag + grantName }),
      ...(persistsLogout ? { persistsLogout: true } : {}),
    };
  }
  return authorizations;
}

function authorizationFields(fields: Fields): Fields {
  return new Map([...fields].filter(([name]) => /^a./.test(name)));
}

/**
 * Puts the authorizations that this request made into `set`; returns the fields of those that it took away. One that is
 * as it was is not written: a parallel request may have ended it.
 */
function writeAuthorizations(authorizations: Authorizations, before: Fields, set: Map<string, Buffer>): string[] {
  const kept = new Set<string>();
  for (const [clientId, authorization] of Object.entries(authorizations)) {
    if (authorization.grantId === undefined && authorization.sid === undefined) continue;
    const value = encodeAuthorization({
      clientId,
      hasSid: authorization.sid !== undefined,
      grantName: authorization.grantId?.slice(-8),
      persistsLogout: authorization.persistsLogout === true,
    });
    const name = authorizationField(clientKey(clientId));
    kept.add(name);
    if (!before.get(name)?.equals(value)) set.set(name, value);
  }
  return [...before.keys()].filter((name) => !kept.has(name));
}

/** Ends the session and what hangs on it; grants with `offline_access`, which the person gave for longer, stay. */
function endSession(fields: Fields, stayed: ReadonlySet<string>): SignInChange | undefined {
  const staying = new Set([...stayed, ...grantsThatPersist(fields)]);
  const drop = [...fields.keys()].filter((name) => name !== FIELD.owner && !staying.has(grantNameOf(fields, name)));
  return drop.length === 0 ? undefined : { unchanged: [FIELD.owner], drop };
}

/** The grant that a field is, or belongs to; empty for what is the session's own. */
function grantNameOf(fields: Fields, name: string): string {
  if (/^g./.test(name)) return name.slice(1);
  const family = /^[er]./.test(name) ? fields.get(familyField(name.slice(1))) : undefined;
  return family === undefined ? "" : readFamilyHead(family).grantName;
}

function grantsThatPersist(fields: Fields): Set<string> {
  const names = new Set<string>();
  for (const [name, value] of fields) {
    if (!/^a./.test(name)) continue;
    const { grantName, persistsLogout } = decodeAuthorization(value);
    if (persistsLogout && grantName !== undefined && fields.has(`g${grantName}`)) names.add(grantName);
  }
  return names;
}

function onlyChanged(set: ReadonlyMap<string, Buffer>, fields: Fields): Map<string, Buffer> {
  return new Map([...set].filter(([name, value]) => !fields.get(name)?.equals(value)));
}

/** Six bytes of the client id's digest: short, and the id itself stands in the value. */
function clientKey(clientId: string): string {
  return sha256(clientId).toString("base64url", 0, 6);
}
