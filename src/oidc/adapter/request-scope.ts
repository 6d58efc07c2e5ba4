import { AsyncLocalStorage } from "node:async_hooks";
import type { SignInTag } from "./identifiers.ts";
import type { Fields } from "./store.ts";

/** Writes to a sign-in that wait for the next write to it, so that both take one trip. */
export interface WaitingWrite {
  readonly set: ReadonlyMap<string, Buffer>;
}

/**
 * What one request has read and means to write.
 *
 * The protocol asks for a token, its session and its grant one after the other. Within a request they are answered from
 * one read; every write still compares with what the store holds, so that a decision on something stale is not carried
 * out.
 */
export interface RequestScope {
  readonly signIns: Map<SignInTag, Fields>;
  readonly artifacts: Map<string, Buffer>;
  readonly waiting: Map<SignInTag, WaitingWrite>;
  /** Replay identifiers that this request has claimed: the protocol may ask twice. */
  readonly claimed: Set<string>;
  /** A store that did not answer this request, which does not wait for it again. */
  storeFailure?: Error;
}

const storage = new AsyncLocalStorage<RequestScope>();

export function currentRequestScope(): RequestScope | undefined {
  return storage.getStore();
}

export function runInRequestScope<Result>(run: () => Promise<Result>): Promise<Result> {
  const scope: RequestScope = {
    signIns: new Map(),
    artifacts: new Map(),
    waiting: new Map(),
    claimed: new Set<string>(),
  };
  return storage.run(scope, run);
}
