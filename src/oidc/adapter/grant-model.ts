import type { AdapterPayload } from "oidc-provider";
import { type Clock, epochSeconds } from "../../core/index.ts";
import { parseGrantId } from "./identifiers.ts";
import {
  decodeAuthorization,
  decodeOwner,
  familyExtraField,
  FIELD,
  type FieldCodec,
  grantField,
  readFamilyHead,
  type Recurring,
} from "./sign-in-fields.ts";
import type { SignIns } from "./sign-ins.ts";
import type { Fields } from "./store.ts";

/** What a client may have been granted at all, as its settings are now. */
export interface GrantLimits {
  /** Seconds since the Unix epoch. A grant from before was given to another client of the same id. */
  readonly since: number;
  readonly identityScopes: readonly string[];
}

export interface GrantModelDeps {
  readonly signIns: SignIns;
  readonly codec: FieldCodec;
  readonly clock: Clock;
  /** `undefined` when there is no such client. */
  readonly findGrantLimits: (clientId: string) => Promise<GrantLimits | undefined>;
}

/**
 * Grants: what one client may do within one sign-in. Every token points to its grant and is dead without it, so that
 * revoking a grant is dropping one field; tokens need no index. What the operator took from the client since is no
 * longer in the grants that it has.
 */
export function createGrantModel(deps: GrantModelDeps) {
  const { signIns, codec, clock } = deps;

  return {
    async find(id: string): Promise<AdapterPayload | undefined> {
      const parts = parseGrantId(id);
      if (parts === undefined) return undefined;
      const fields = await signIns.load(parts.tag);
      const value = fields.get(grantField(parts.name));
      const owner = fields.get(FIELD.owner);
      const grant = value && (await codec.decodeGrant(value));
      if (grant === undefined || owner === undefined) return undefined;
      const limits = await deps.findGrantLimits(String(grant.recurring["clientId"]));
      if (limits === undefined || grant.begunAt < limits.since) return undefined;
      return {
        ...withinLimits(grant.recurring, limits),
        kind: "Grant",
        jti: id,
        accountId: decodeOwner(owner),
        iat: grant.begunAt,
        exp: grant.endsAt,
      };
    },
    async upsert(id: string, payload: AdapterPayload): Promise<void> {
      const parts = parseGrantId(id);
      if (parts === undefined) throw new Error("a grant needs an id of ours");
      const { kind: _kind, jti: _jti, accountId: _accountId, iat, exp, ...recurring } = payload;
      const begunAt = iat ?? epochSeconds(clock);
      const value = await codec.encodeGrant({ begunAt, endsAt: exp ?? 0, recurring });
      await signIns.changeLater(parts.tag, new Map([[grantField(parts.name), value]]));
    },
    async destroy(id: string): Promise<void> {
      const parts = parseGrantId(id);
      if (parts === undefined) return;
      await signIns.change(parts.tag, (fields) => {
        const name = grantField(parts.name);
        if (!fields.has(name)) return undefined;
        return { unchanged: [name], drop: [name, ...hangingOnGrant(fields, parts.name)] };
      });
    },
  };
}

function withinLimits(recurring: Recurring, { identityScopes }: GrantLimits): Recurring {
  const { openid } = recurring as { openid?: { scope?: string } };
  if (openid?.scope === undefined) return recurring;
  const scope = openid.scope.split(" ").filter((name) => identityScopes.includes(name));
  return { ...recurring, openid: { ...openid, scope: scope.join(" ") } };
}

/** The refresh-token families of a grant, and the session's mention of it. */
function hangingOnGrant(fields: Fields, grantName: string): string[] {
  return [...fields].flatMap(([name, value]) => {
    if (/^r./.test(name) && readFamilyHead(value).grantName === grantName)
      return [name, familyExtraField(name.slice(1))];
    if (/^a./.test(name) && decodeAuthorization(value).grantName === grantName) return [name];
    return [];
  });
}
