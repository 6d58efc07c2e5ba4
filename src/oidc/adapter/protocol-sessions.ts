import type { Clock } from "../../core/index.ts";
import {
  type Cleared,
  type Clearing,
  type ProtocolGrant,
  type ProtocolSession,
  type ProtocolSessions,
  unionOf,
} from "../../sessions/index.ts";
import { createSignInDescription } from "./describe-sign-in.ts";
import type { Dictionary } from "./dictionary.ts";
import { parseGrantId, parseTag, type SignInTag, signInKey } from "./identifiers.ts";
import { endingOf, grantsBeyondSession } from "./session-end.ts";
import { createSignIns } from "./sign-ins.ts";
import type { Fields, ProtocolStore } from "./store.ts";

export interface ProtocolSessionsDeps {
  readonly store: ProtocolStore;
  readonly dictionary: Dictionary;
  readonly clock: Clock;
  /** How long a session lives from its last use. */
  readonly idleSeconds: number;
}

/** Sign-ins as `sessions` sees them: what hangs on them, and clearing what has ended. */
export function createProtocolSessions(deps: ProtocolSessionsDeps): ProtocolSessions {
  const { store } = deps;
  const signIns = createSignIns(deps);
  const describe = createSignInDescription(deps);

  /** Returns what was there, at each look. */
  async function drop(tag: SignInTag, clearing: Clearing): Promise<readonly Fields[]> {
    const looks: Fields[] = [];
    const endedGrants = clearing.endedGrantIds.flatMap((id) => parseGrantId(id)?.name ?? []);
    const present = await signIns.reload(tag);
    if (present.size === 0) return looks;
    const staying = grantsBeyondSession(present);
    const dropOnce = (): Promise<void> =>
      signIns.change(tag, (fields) => {
        if (fields.size > 0) looks.push(fields);
        return endingOf(fields, { scope: clearing.scope, endedGrants, staying });
      });
    await dropOnce();
    if (clearing.scope === undefined) return looks;
    // A parallel request may have added a client between our read and our write; from here on none can.
    await signIns.reload(tag);
    await dropOnce();
    return looks;
  }

  return {
    async read(ids) {
      const tags = ids.flatMap((id) => parseTag(id) ?? []);
      if (tags.length === 0) return new Map();
      const all = await store.read(tags.map(signInKey));
      const sessions = new Map<string, ProtocolSession>();
      for (const [at, tag] of tags.entries()) {
        const fields = all[at];
        if (fields !== undefined && fields.size > 0) sessions.set(tag, await describe(tag, fields));
      }
      return sessions;
    },
    async clear(id, clearing): Promise<Cleared> {
      const tag = parseTag(id);
      if (tag === undefined) return { seen: undefined, isEmpty: true };
      const seen = merge(await Promise.all((await drop(tag, clearing)).map((fields) => describe(tag, fields))));
      if (clearing.scope === undefined || seen === undefined) return { seen, isEmpty: seen === undefined };
      const left = await signIns.load(tag);
      const isEmpty = clearing.scope === "whole" || ![...left.keys()].some((name) => /^g./.test(name));
      if (isEmpty) await signIns.delete(tag);
      return { seen, isEmpty };
    },
  };
}

/** What was there over several looks. */
function merge(looks: readonly ProtocolSession[]): ProtocolSession | undefined {
  const [first] = looks;
  if (first === undefined) return undefined;
  const grants = new Map<string, ProtocolGrant>();
  for (const grant of looks.flatMap((look) => look.grants)) {
    const before = grants.get(grant.id);
    grants.set(grant.id, {
      ...grant,
      clientId: before?.clientId ?? grant.clientId,
      audiences: unionOf([before?.audiences ?? [], grant.audiences]),
      outlivesSession: before?.outlivesSession ?? grant.outlivesSession,
    });
  }
  const clientIds = [...new Set(looks.flatMap((look) => look.clientIds))];
  return { ...first, clientIds, grants: [...grants.values()] };
}
