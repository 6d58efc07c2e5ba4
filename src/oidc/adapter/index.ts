/**
 * Where oidc-provider keeps its state: sessions, grants, codes, tokens.
 *
 * `store.ts` is the port (three operations on named binary fields), with an implementation on Redis and one on
 * Postgres. `identifiers.ts` says what an id looks like, `sign-in-fields.ts` how a sign-in lies in the store,
 * `sign-ins.ts` how it is written; `session-fields.ts`, `session-clients.ts`, `session-end.ts` and `rotation.ts` decide
 * what; `refreshes.ts` tells a retry from a theft; the `…-model.ts` files answer the library, one a kind of thing.
 *
 * Invariants: every key expires. A copy of the store is no set of usable tokens. A one-time thing is consumed by one
 * atomic step, and the loser is told. What was ended is never brought back by a late write.
 */
import type { Adapter, AdapterFactory, AdapterPayload } from "oidc-provider";
import type { Clock } from "../../core/index.ts";
import type { Sessions } from "../../sessions/index.ts";
import { ARTIFACT_KINDS, type ArtifactName, createArtifactModel } from "./artifact-model.ts";
import { createAuthorizationCodeModel } from "./authorization-code-model.ts";
import type { Dictionary } from "./dictionary.ts";
import { createGrantModel, type GrantModelDeps } from "./grant-model.ts";
import { createRefreshTokenModel } from "./refresh-token-model.ts";
import { createRefreshes, type Presentation } from "./refreshes.ts";
import { createSessionModel } from "./session-model.ts";
import { createFieldCodec } from "./sign-in-fields.ts";
import { createSignIns } from "./sign-ins.ts";
import type { ProtocolStore } from "./store.ts";

export type { GrantLimits } from "./grant-model.ts";
export { createDictionary, type Dictionary } from "./dictionary.ts";
export { newAccessTokenId, newGrantId, newTag, newTaggedSecret, parseRefreshToken } from "./identifiers.ts";
export { incompleteEnding } from "./incomplete-ending.ts";
export { createPostgresStore, sweepPostgresStore } from "./postgres-store.ts";
export { createProtocolSessions } from "./protocol-sessions.ts";
export { createRedisStore } from "./redis-store.ts";
export { newRefreshFamilyIn, newSuccessor, type Presentation } from "./refreshes.ts";
export {
  beginRefresh,
  completeRefresh,
  currentRequestScope,
  type RefreshUnderWay,
  type RequestOrigin,
  runInRequestScope,
} from "./request-scope.ts";
export { estimateSignIns } from "./sign-in-estimate.ts";
export type { ProtocolStore } from "./store.ts";

export interface ProtocolStateDeps {
  readonly store: ProtocolStore;
  readonly dictionary: Dictionary;
  /** The index of sessions: whatever begins and ends here is noted there first. */
  readonly sessions: Pick<Sessions, "begin" | "isOpen" | "endHeld" | "endGrant">;
  readonly clock: Clock;
  /** When a session that began then ends if it is used now; seconds since the Unix epoch. */
  readonly sessionEndAt: (begunAtSeconds: number) => number;
  /** How long after a rotation a retry of the same refresh token gets the same successor. */
  readonly replaySeconds: number;
  readonly findGrantLimits: GrantModelDeps["findGrantLimits"];
  /** Client metadata as the library wants it. */
  readonly findClientMetadata: (clientId: string) => Promise<AdapterPayload | undefined>;
}

export interface ProtocolState {
  readonly adapterFactory: AdapterFactory;
  /** Writes what this request still holds back. Call it before the answer leaves. */
  flush(): Promise<void>;
  /** What it is that a refresh token is presented; `binding` is what a retry shares with the first use. */
  judgeRefresh(presented: string, binding: string): Promise<Presentation>;
  /** Takes a replay identifier once, for `lifetimeSeconds`; `false` when it was taken before. */
  claimReplayId(id: string, lifetimeSeconds: number): Promise<boolean>;
  /** Whether the session of a sign-in is there and has not ended. Costs no trip where this request has read it. */
  isSessionAlive(uid: string): Promise<boolean>;
}

export function createProtocolState(deps: ProtocolStateDeps): ProtocolState {
  const signIns = createSignIns(deps);
  const codec = createFieldCodec(deps.dictionary);
  const shared = { ...deps, signIns, codec };
  const refreshes = createRefreshes(shared);
  const replays = createArtifactModel(shared, "ReplayDetection");

  return {
    adapterFactory: (name) => completeAdapter(name, adapterFor(name)),
    flush: () => signIns.flush(),
    judgeRefresh: (presented, binding) => refreshes.judge(presented, binding),
    claimReplayId: (id, lifetimeSeconds) => replays.claim(id, lifetimeSeconds),
    isSessionAlive: async (uid) => (await createSessionModel(shared).findByUid(uid)) !== undefined,
  };

  function adapterFor(name: string): Partial<Adapter> {
    if (name === "Session") return createSessionModel(shared);
    if (name === "Grant") return createGrantModel(shared);
    if (name === "RefreshToken") return createRefreshTokenModel(shared);
    if (name === "AuthorizationCode") return createAuthorizationCodeModel(shared);
    if (name === "Client") return { find: deps.findClientMetadata };
    if (Object.hasOwn(ARTIFACT_KINDS, name)) return createArtifactModel(shared, name as ArtifactName);
    return {};
  }
}

/** The library's whole contract; what a model does not offer is a call that we did not expect. */
function completeAdapter(name: string, offered: Partial<Adapter>): Adapter {
  const unexpected = (operation: string) => (): never => {
    throw new Error(`${name} does not offer ${operation}`);
  };
  return {
    upsert: unexpected("upsert"),
    find: unexpected("find"),
    findByUid: unexpected("findByUid"),
    findByUserCode: unexpected("findByUserCode"),
    consume: unexpected("consume"),
    destroy: unexpected("destroy"),
    // A token is dead as soon as its grant is gone, so there is nothing to look for.
    revokeByGrantId: async () => undefined,
    ...offered,
  };
}
