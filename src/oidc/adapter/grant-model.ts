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
} from "./sign-in-fields.ts";
import type { SignIns } from "./sign-ins.ts";
import type { Fields } from "./store.ts";

/**
 * Grants: what one client may do within one sign-in. Every token points to its grant and is dead without it, so that
 * revoking a grant is dropping one field; tokens need no index.
 */
export function createGrantModel(deps: { signIns: SignIns; codec: FieldCodec; clock: Clock }) {
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
      return {
        ...grant.recurring,
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

/** The refresh-token families of a grant, and the session's mention of it. */
function hangingOnGrant(fields: Fields, grantName: string): string[] {
  return [...fields].flatMap(([name, value]) => {
    if (/^r./.test(name) && readFamilyHead(value).grantName === grantName)
      return [name, familyExtraField(name.slice(1))];
    if (/^a./.test(name) && decodeAuthorization(value).grantName === grantName) return [name];
    return [];
  });
}
