import { type AdapterPayload, errors } from "oidc-provider";
import { type Clock, epochSeconds } from "../../core/index.ts";
import { digestOf, parseTaggedSecret, type SignInTag } from "./identifiers.ts";
import { type Authorizations, encodeAuthorizations, markGrants, readAuthorizations } from "./session-clients.ts";
import {
  decodeOwner,
  decodeTime,
  encodeOwner,
  encodeTime,
  FIELD,
  type FieldCodec,
  SECRET_DIGEST_BYTES,
} from "./sign-in-fields.ts";
import type { SignInChange } from "./sign-ins.ts";
import type { Fields } from "./store.ts";

/**
 * A session as the library knows it, and as fields of its sign-in.
 *
 * The library always writes all that it knows. What is written here is the difference to what this request had loaded:
 * clients that parallel requests added stay, what they ended stays ended, and a session that is over is not written.
 */
export function createSessionFields(deps: { codec: FieldCodec; clock: Clock }) {
  const { codec, clock } = deps;
  /** The session's own fields as they were loaded, by the very object that the library carries along with it. */
  const loadedFields = new WeakMap<Authorizations, Fields>();
  const loadedOf = (payload: AdapterPayload): Fields | undefined =>
    payload.authorizations && loadedFields.get(payload.authorizations);

  /** What the session is to be; its end is not among it, because that only moves forward. */
  async function encode(id: string, payload: AdapterPayload): Promise<Map<string, Buffer>> {
    const own = new Map<string, Buffer>();
    const { accountId, acr, amr, state } = payload;
    const recurring = { ...(acr === undefined ? {} : { acr }), ...(amr === undefined ? {} : { amr }) };
    const login = await codec.encodeLogin({
      begunAt: payload.iat ?? epochSeconds(clock),
      authenticatedAt: payload.loginTs ?? 0,
      isTransient: payload.transient === true,
      recurring,
    });
    own.set(FIELD.login, login);
    if (accountId !== undefined) own.set(FIELD.owner, encodeOwner(accountId));
    const secret = parseTaggedSecret(id)?.secret;
    if (secret !== undefined) own.set(FIELD.sessionDigest, digestOf(secret, SECRET_DIGEST_BYTES));
    if (state !== undefined) own.set(FIELD.state, Buffer.from(JSON.stringify(state)));
    return new Map([...own, ...encodeAuthorizations(payload.authorizations ?? {})]);
  }

  return {
    /** `undefined` when the session is over, or never was. */
    async toPayload(tag: SignInTag, fields: Fields): Promise<AdapterPayload | undefined> {
      const login = fields.get(FIELD.login);
      const end = decodeTime(fields.get(FIELD.sessionEnd));
      if (login === undefined || end <= epochSeconds(clock)) return undefined;
      const decoded = await codec.decodeLogin(login);
      if (decoded === undefined) return undefined;
      const owner = fields.get(FIELD.owner);
      const state = fields.get(FIELD.state);
      const authorizations = await readAuthorizations(codec, tag, fields);
      loadedFields.set(authorizations, new Map([...fields].filter(([name]) => isOfSession(name))));
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
    },
    /** Whether somebody signs in here for the first time: the account's index does not know this sign-in yet. */
    isNewToAccount(payload: AdapterPayload): boolean {
      return payload.accountId !== undefined && loadedOf(payload)?.get(FIELD.owner) === undefined;
    },
    /** @throws SessionNotFound when the session ended meanwhile, or belongs to another account. */
    async decide(id: string, payload: AdapterPayload, fields: Fields): Promise<SignInChange> {
      const loaded = loadedOf(payload);
      if (loaded !== undefined && !fields.has(FIELD.login)) {
        throw new errors.SessionNotFound("the session ended while it was used");
      }
      const next = await encode(id, payload);
      const owner = fields.get(FIELD.owner);
      if (owner !== undefined && next.get(FIELD.owner)?.equals(owner) !== true) {
        throw new errors.SessionNotFound("the session belongs to another account");
      }
      const end = encodeTime(Math.max(payload.exp ?? 0, decodeTime(fields.get(FIELD.sessionEnd))));
      const changed = [...next].filter(([name, value]) => loaded?.get(name)?.equals(value) !== true);
      const dropped = [...(loaded?.keys() ?? [])].filter((name) => isDroppable(name) && !next.has(name));
      const marked = markGrants(payload.authorizations ?? {}, loaded, fields);
      return {
        unchanged: [FIELD.owner, FIELD.login, ...marked.keys()],
        set: new Map([...onlyNews(new Map([...changed, [FIELD.sessionEnd, end]]), fields), ...marked]),
        drop: dropped,
      };
    },
  };
}

function isOfSession(name: string): boolean {
  const single: readonly string[] = [FIELD.owner, FIELD.login, FIELD.sessionDigest, FIELD.state];
  return single.includes(name) || /^[ag]./.test(name);
}

/** The digest is replaced, never taken away, and a grant ends by itself. */
function isDroppable(name: string): boolean {
  return name !== FIELD.sessionDigest && !/^g./.test(name);
}

function onlyNews(set: ReadonlyMap<string, Buffer>, fields: Fields): Map<string, Buffer> {
  return new Map([...set].filter(([name, value]) => fields.get(name)?.equals(value) !== true));
}
