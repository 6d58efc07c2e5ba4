import { ageMsOf, type Moment, momentOf, type Platform } from "./platform.ts";

/** Something of the issuer's that is fetched now and then, and outlives the issuer's absence. */
export interface KeptValue<Value> {
  /**
   * What was loaded at most `ageMsMax` ago; if the issuer does not answer, what was loaded last.
   *
   * @throws what loading threw, if nothing was ever loaded.
   */
  get(): Promise<Value>;
  /** Loads anew, unless that was tried less than `coolDownMs` ago. Never throws. */
  refresh(): Promise<void>;
  /** The same if nothing has to be loaded for it, and otherwise nothing. */
  peek(): Value | undefined;
  /** Whether it was ever loaded. */
  isKnown(): boolean;
}

/** One load at a time: callers that come meanwhile share it. */
export function createKeptValue<Value>(deps: {
  readonly platform: Platform;
  readonly load: () => Promise<Value>;
  readonly ageMsMax: number;
  readonly coolDownMs: number;
}): KeptValue<Value> {
  let kept: { readonly value: Value; readonly loadedAt: Moment } | undefined;
  let triedAt: Moment | undefined;
  let loading: Promise<void> | undefined;
  let isAway = false;

  function load(): Promise<void> {
    loading ??= deps
      .load()
      .then((value) => {
        kept = { value, loadedAt: momentOf(deps.platform) };
        return undefined;
      })
      .finally(() => {
        loading = undefined;
      });
    return loading;
  }

  async function refresh(): Promise<void> {
    if (loading === undefined) {
      if (triedAt !== undefined && ageMsOf(triedAt, deps.platform) < deps.coolDownMs) return;
      triedAt = momentOf(deps.platform);
    }
    await load().then(
      () => {
        isAway = false;
        return undefined;
      },
      () => {
        isAway = true;
        return undefined;
      },
    );
  }

  /** Only the first caller after the issuer has gone waits for it; the others go on with what there is. */
  async function refreshUnlessAway(): Promise<void> {
    const refreshed = refresh();
    if (!isAway) await refreshed;
  }

  function peek(): Value | undefined {
    if (kept === undefined || ageMsOf(kept.loadedAt, deps.platform) >= deps.ageMsMax) return undefined;
    return kept.value;
  }

  return {
    async get() {
      if (kept === undefined) await load();
      else if (peek() === undefined) await refreshUnlessAway();
      if (kept === undefined) throw new Error("a load that succeeds leaves a value");
      return kept.value;
    },
    refresh,
    peek,
    isKnown: () => kept !== undefined,
  };
}
