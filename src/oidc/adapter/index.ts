/**
 * Where oidc-provider keeps its state: sessions, grants, codes, tokens.
 *
 * `store.ts` is the port (three operations on named binary fields), with an implementation on Redis and one on
 * Postgres. `identifiers.ts` says what an id looks like, `sign-in-fields.ts` how a sign-in lies in the store,
 * `sign-ins.ts` how it is written; `session-fields.ts`, `session-end.ts` and `rotation.ts` decide what; the `…-model.ts`
 * files answer the library, one a kind of thing.
 *
 * Invariants: every key expires. A copy of the store is no set of usable tokens. A one-time thing is consumed by one
 * atomic step, and the loser is told. What was ended is never brought back by a late write.
 */
import type { Adapter, AdapterFactory, AdapterPayload } from "oidc-provider";
import type { Clock } from "../../core/index.ts";
import { ARTIFACT_KINDS, type ArtifactName, createArtifactModel } from "./artifact-model.ts";
import { createAuthorizationCodeModel } from "./authorization-code-model.ts";
import type { Dictionary } from "./dictionary.ts";
import { createGrantModel, type GrantModelDeps } from "./grant-model.ts";
import { createRefreshTokenModel } from "./refresh-token-model.ts";
import { createSessionModel } from "./session-model.ts";
import { createFieldCodec } from "./sign-in-fields.ts";
import type { SignInIndex } from "./sign-in-index.ts";
import { createSignIns } from "./sign-ins.ts";
import type { ProtocolStore } from "./store.ts";

export type { GrantLimits } from "./grant-model.ts";
export { createDictionary, type Dictionary } from "./dictionary.ts";
export {
  newGrantId,
  newRefreshFamily,
  newTag,
  newTaggedSecret,
  nextInRefreshFamily,
  parseRefreshToken,
} from "./identifiers.ts";
export { createPostgresStore, sweepPostgresStore } from "./postgres-store.ts";
export { createRedisStore } from "./redis-store.ts";
export { currentRequestScope, runInRequestScope } from "./request-scope.ts";
export { createSignInIndex, type SignInIndex } from "./sign-in-index.ts";
export type { ProtocolStore } from "./store.ts";

export interface ProtocolStateDeps {
  readonly store: ProtocolStore;
  readonly dictionary: Dictionary;
  readonly index: SignInIndex;
  readonly clock: Clock;
  /** When a session that began then ends if it is used now; seconds since the Unix epoch. */
  readonly sessionEndAt: (begunAtSeconds: number) => number;
  readonly findGrantLimits: GrantModelDeps["findGrantLimits"];
  /** Client metadata as the library wants it. */
  readonly findClientMetadata: (clientId: string) => Promise<AdapterPayload | undefined>;
}

export interface ProtocolState {
  readonly adapterFactory: AdapterFactory;
  /** Writes what this request still holds back. Call it before the answer leaves. */
  flush(): Promise<void>;
  /** Takes a replay identifier once, for `lifetimeSeconds`; `false` when it was taken before. */
  claimReplayId(id: string, lifetimeSeconds: number): Promise<boolean>;
  /** Ends every sign-in of an account: sessions, grants and all tokens that hang on them. */
  endSignIns(accountId: string): Promise<void>;
}

export function createProtocolState(deps: ProtocolStateDeps): ProtocolState {
  const signIns = createSignIns(deps);
  const codec = createFieldCodec(deps.dictionary);
  const shared = { ...deps, signIns, codec };
  const replays = createArtifactModel(shared, "ReplayDetection");

  return {
    adapterFactory: (name) => completeAdapter(name, adapterFor(name)),
    flush: () => signIns.flush(),
    claimReplayId: (id, lifetimeSeconds) => replays.claim(id, lifetimeSeconds),
    async endSignIns(accountId) {
      for (const tag of await deps.index.list(accountId)) {
        await signIns.delete(tag);
        await deps.index.end(accountId, tag, "whole");
      }
    },
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
