import type { AdapterPayload } from "oidc-provider";
import { type Clock, epochSeconds } from "../../core/index.ts";
import type { EndedGrant, Sessions } from "../../sessions/index.ts";
import { parseGrantId } from "./identifiers.ts";
import { incompleteEnding } from "./incomplete-ending.ts";
import { currentRequestScope } from "./request-scope.ts";
import type { Recurring } from "./recurring.ts";
import { decodeOwner, FIELD, type FieldCodec, grantField, readMention } from "./sign-in-fields.ts";
import type { SignIns } from "./sign-ins.ts";

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
  readonly sessions: Pick<Sessions, "endGrant">;
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
      const present = (await signIns.load(parts.tag)).get(grantField(parts.name));
      const mention = present && readMention(present);
      const value = await codec.encodeGrant({ begunAt, endsAt: exp ?? 0, mention, recurring });
      await signIns.changeLater(parts.tag, new Map([[grantField(parts.name), value]]));
    },
    /** One that is gone already ended before, and was told of then. */
    async destroy(id: string): Promise<void> {
      const parts = parseGrantId(id);
      if (parts === undefined) return;
      const fields = await signIns.load(parts.tag);
      const value = fields.get(grantField(parts.name));
      if (value === undefined) return;
      const owner = fields.get(FIELD.owner);
      const grant = await codec.decodeGrant(value);
      const { clientId, resources } = (grant?.recurring ?? {}) as { clientId?: string; resources?: object };
      const { isComplete } = await deps.sessions.endGrant({
        id,
        sessionId: parts.tag,
        accountId: owner && decodeOwner(owner),
        clientId,
        audiences: grant === undefined ? "all" : Object.keys(resources ?? {}),
        reuseOf: reuseOf(),
      });
      if (!isComplete) throw incompleteEnding();
    },
  };
}

/** What this request presented a second time, if it did. */
function reuseOf(): EndedGrant["reuseOf"] {
  const scope = currentRequestScope();
  if (scope?.refresh?.isReuse === true) return "refresh_token";
  return scope?.isCodeReuse === true ? "authorization_code" : undefined;
}

function withinLimits(recurring: Recurring, { identityScopes }: GrantLimits): Recurring {
  const { openid } = recurring as { openid?: { scope?: string } };
  if (openid?.scope === undefined) return recurring;
  const scope = openid.scope.split(" ").filter((name) => identityScopes.includes(name));
  return { ...recurring, openid: { ...openid, scope: scope.join(" ") } };
}
