import { type Clock, epochSeconds } from "../../core/index.ts";
import type { ProtocolGrant, ProtocolSession } from "../../sessions/index.ts";
import type { Dictionary } from "./dictionary.ts";
import type { SignInTag } from "./identifiers.ts";
import {
  createFieldCodec,
  decodeAuthorization,
  decodeTime,
  FIELD,
  grantField,
  readFamilyHead,
  readMention,
} from "./sign-in-fields.ts";
import type { Fields } from "./store.ts";

export interface SignInDescriptionDeps {
  readonly dictionary: Dictionary;
  readonly clock: Clock;
  /** How long a session lives from its last use. */
  readonly idleSeconds: number;
}

/** Puts the fields of a sign-in into words that `sessions` knows. */
export function createSignInDescription(deps: SignInDescriptionDeps) {
  const codec = createFieldCodec(deps.dictionary);
  const { clock } = deps;

  async function describeGrant(tag: SignInTag, name: string, fields: Fields): Promise<ProtocolGrant> {
    const grant = await codec.decodeGrant(fields.get(grantField(name)) ?? Buffer.alloc(0));
    const { clientId, resources, openid } = (grant?.recurring ?? {}) as GrantContent;
    return {
      id: tag + name,
      clientId,
      lastUsedAt: Math.max(grant?.begunAt ?? 0, ...refreshesOf(fields, name)),
      audiences: grant === undefined ? "all" : Object.keys(resources ?? {}),
      // A grant of which the store no longer knows what it gave may have given this as well.
      outlivesSession:
        !fields.has(FIELD.login) ||
        grant === undefined ||
        openid?.scope?.split(" ").includes("offline_access") === true,
    };
  }

  return async function describe(tag: SignInTag, fields: Fields): Promise<ProtocolSession> {
    const value = fields.get(FIELD.login);
    const login = value && (await codec.decodeLogin(value));
    const { acr, amr } = (login?.recurring ?? {}) as { acr?: string; amr?: readonly string[] };
    const names = [...fields.keys()];
    const grantNames = names.filter((name) => /^g./.test(name)).map((name) => name.slice(1));
    const grants = await Promise.all(grantNames.map((name) => describeGrant(tag, name, fields)));
    const isOpen = login !== undefined;
    const withGrant = grants.filter((_, at) => isOpen && isMentioned(fields, grantNames[at] ?? ""));
    const without = [...fields].filter(([name]) => /^a./.test(name)).map(([, octets]) => decodeAuthorization(octets));
    const begunAt = login?.begunAt ?? 0;
    return {
      id: tag,
      isAlive: login !== undefined && decodeTime(fields.get(FIELD.sessionEnd)) > epochSeconds(clock),
      begunAt,
      lastUsedAt: Math.max(begunAt, lastUseOf(fields, deps.idleSeconds)),
      acr,
      amr: amr ?? [],
      clientIds: [...withGrant, ...without].flatMap(({ clientId }) => clientId ?? []),
      grants,
    };
  };
}

interface GrantContent {
  readonly clientId?: string;
  readonly resources?: Readonly<Record<string, string>>;
  readonly openid?: { readonly scope?: string };
}

function isMentioned(fields: Fields, grantName: string): boolean {
  const grant = fields.get(grantField(grantName));
  return grant !== undefined && readMention(grant) !== undefined;
}

/** When each of a grant's families was used last. */
function refreshesOf(fields: Fields, grantName: string): readonly number[] {
  return [...fields].flatMap(([name, value]) => {
    const head = /^r./.test(name) ? readFamilyHead(value) : undefined;
    return head?.grantName === grantName ? [head.begunAt] : [];
  });
}

/** The session's own end says when it was used last, and each refresh says so of its family. */
function lastUseOf(fields: Fields, idleSeconds: number): number {
  const uses = [...fields].flatMap(([name, value]) => (/^r./.test(name) ? readFamilyHead(value).begunAt : []));
  return Math.max(decodeTime(fields.get(FIELD.sessionEnd)) - idleSeconds, ...uses);
}
