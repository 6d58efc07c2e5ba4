import type { AdapterPayload } from "oidc-provider";
import { sha256 } from "../../core/index.ts";
import type { SignInTag } from "./identifiers.ts";
import {
  authorizationField,
  decodeAuthorization,
  encodeAuthorization,
  type FieldCodec,
  grantField,
  type Mention,
  readMention,
  withMention,
} from "./sign-in-fields.ts";
import type { Fields } from "./store.ts";

export type Authorizations = NonNullable<AdapterPayload["authorizations"]>;

const GRANT_NAME_CHARACTERS = 8;

/**
 * The clients that a session knows. One with a grant is known by a mark on that grant, so that whatever ends the grant
 * ends the mention with it; one without has a field of its own.
 *
 * Two requests at once may give one client a grant each. The session then knows the younger one, and of two of the same
 * second the one whose name comes last: the same for whoever looks.
 */
export async function readAuthorizations(codec: FieldCodec, tag: SignInTag, fields: Fields): Promise<Authorizations> {
  const authorizations: Authorizations = {};
  const begunAt = new Map<string, number>();
  for (const [name, value] of [...fields].filter(([field]) => /^[ag]./.test(field)).toSorted(byName)) {
    if (name.startsWith("a")) {
      const { clientId, ...mention } = decodeAuthorization(value);
      authorizations[clientId] ??= describe(tag, mention);
    }
    const mention = isGrant(name) ? readMention(value) : undefined;
    const grant = mention && (await codec.decodeGrant(value));
    if (mention === undefined || grant === undefined) continue;
    const clientId = String(grant.recurring["clientId"]);
    if (grant.begunAt < (begunAt.get(clientId) ?? 0)) continue;
    begunAt.set(clientId, grant.begunAt);
    authorizations[clientId] = { ...describe(tag, mention), grantId: tag + name.slice(1) };
  }
  return authorizations;
}

/** The grants that the session knows otherwise than it did when it was loaded, marked as it knows them now. */
export function markGrants(authorizations: Authorizations, loaded: Fields | undefined, fields: Fields): Fields {
  const marked = new Map<string, Buffer>();
  for (const [name, mention] of mentionsOf(authorizations, loaded)) {
    const [grant, before] = [fields.get(name), loaded?.get(name)];
    const isChanged = before === undefined || !withMention(before, mention).equals(before);
    if (grant === undefined || !isChanged) continue;
    const next = withMention(grant, mention);
    if (!next.equals(grant)) marked.set(name, next);
  }
  return marked;
}

/** Fields of the clients that have no grant. */
export function encodeAuthorizations(authorizations: Authorizations): Map<string, Buffer> {
  const fields = new Map<string, Buffer>();
  for (const [clientId, { sid, grantId, persistsLogout }] of Object.entries(authorizations)) {
    if (grantId !== undefined || sid === undefined) continue;
    const value = encodeAuthorization({ clientId, hasSid: true, persistsLogout: persistsLogout === true });
    fields.set(authorizationField(clientKey(clientId)), value);
  }
  return fields;
}

/** How the session is to know each grant; one that it knew and no longer names, not at all. */
function mentionsOf(authorizations: Authorizations, loaded: Fields | undefined): Map<string, Mention | undefined> {
  const mentions = new Map<string, Mention | undefined>();
  for (const [name, value] of loaded ?? []) if (isGrant(name) && readMention(value)) mentions.set(name, undefined);
  for (const { sid, grantId, persistsLogout } of Object.values(authorizations)) {
    if (grantId === undefined) continue;
    mentions.set(grantFieldOf(grantId), { hasSid: sid !== undefined, persistsLogout: persistsLogout === true });
  }
  return mentions;
}

function byName([left]: readonly [string, Buffer], [right]: readonly [string, Buffer]): number {
  return left < right ? -1 : 1;
}

function isGrant(fieldName: string): boolean {
  return /^g./.test(fieldName);
}

function grantFieldOf(grantId: string): string {
  return grantField(grantId.slice(-GRANT_NAME_CHARACTERS));
}

function describe(tag: SignInTag, { hasSid, persistsLogout }: Mention) {
  return { ...(hasSid ? { sid: tag } : {}), ...(persistsLogout ? { persistsLogout: true as const } : {}) };
}

/** Six bytes of the client id's digest: short, and the id itself stands in the value. */
function clientKey(clientId: string): string {
  return sha256(clientId).toString("base64url", 0, 6);
}
