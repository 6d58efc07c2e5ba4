import { AsyncLocalStorage } from "node:async_hooks";
import type { SignInTag } from "./identifiers.ts";
import type { Fields } from "./store.ts";

/** Writes to a sign-in that wait for the next write to it, so that both take one trip. */
export interface WaitingWrite {
  readonly set: ReadonlyMap<string, Buffer>;
  /** Of these, the fields that were there when the request read them, and must be so when it writes. */
  readonly widened: ReadonlySet<string>;
}

/** The refresh that a request to the token endpoint is; see `refreshes.ts`. */
export interface RefreshUnderWay {
  /** What a retry has to share with the first use of its token to get the same successor: resource and sender key. */
  readonly binding: string;
  /** What was presented is a consumed token, and no retry: whoever ends the grant in this request ends it for that. */
  isReuse: boolean;
  /** Answered with the living token, which stays: a retry, or a token that does not rotate. */
  keepsToken: boolean;
  /** Answered with a successor that was there already. */
  isRetry: boolean;
  /** Another request made the successor first. */
  isLost: boolean;
  /** Of the successor that this request makes. */
  nonce: Buffer | undefined;
  /** The write that ends the presented token for its successor; it waits until what it is spent for is signed. */
  rotation: (() => Promise<void>) | undefined;
}

/** What a request tells of who sent it. */
export interface RequestOrigin {
  /** As seen behind trusted proxies. */
  readonly address: string;
  readonly userAgent: string;
  readonly requestId: string;
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
  /** Where the request came from; nothing of it goes to the log. */
  readonly origin: RequestOrigin | undefined;
  refresh?: RefreshUnderWay;
  /** A code was presented that had been redeemed before. */
  isCodeReuse?: true;
  /** A store that did not answer this request, which does not wait for it again. */
  storeFailure?: Error;
}

const storage = new AsyncLocalStorage<RequestScope>();

export function currentRequestScope(): RequestScope | undefined {
  return storage.getStore();
}

export function runInRequestScope<Result>(run: () => Promise<Result>, origin?: RequestOrigin): Promise<Result> {
  const scope: RequestScope = {
    origin,
    signIns: new Map(),
    artifacts: new Map(),
    waiting: new Map(),
    claimed: new Set<string>(),
  };
  return storage.run(scope, run);
}

/** Makes this request a refresh. @throws Error outside of a request. */
export function beginRefresh(given: Pick<RefreshUnderWay, "binding" | "isReuse">): RefreshUnderWay {
  const scope = currentRequestScope();
  if (scope === undefined) throw new Error("a refresh needs the scope of its request");
  scope.refresh = { ...given, keepsToken: false, isRetry: false, isLost: false, nonce: undefined, rotation: undefined };
  return scope.refresh;
}

/**
 * Ends the presented refresh token for its successor. A request that fails before has spent nothing.
 *
 * @throws InvalidGrant when it was used or ended meanwhile.
 */
export async function completeRefresh({ rotation }: Pick<RefreshUnderWay, "rotation">): Promise<void> {
  await rotation?.();
}
