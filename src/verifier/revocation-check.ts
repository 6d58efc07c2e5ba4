import { VerifierError } from "./errors.ts";
import type { EventHub } from "./events.ts";
import type { FeedChainDeps } from "./feed-chain.ts";
import { createFeedReader } from "./feed-reader.ts";
import type { Introspection } from "./introspection.ts";
import type { Settings } from "./options.ts";
import { createRevocationView } from "./revocation-view.ts";
import type { VouchedToken } from "./verified-token.ts";

/** Whether a token was revoked, in the way that `revocations` asks for. */
export interface RevocationCheck {
  /** What is known here and now. @throws VerifierError `token_revoked` */
  refuseRevoked(known: VouchedToken): void;
  /** What has to be asked of the issuer besides; absent: nothing. @throws VerifierError `revocations_stale` */
  ask(token: string, known: VouchedToken): Promise<void> | undefined;
  isLive(): boolean;
  state(): RevocationState;
  close(): Promise<void>;
}

export interface RevocationState {
  readonly revocations: "live" | "stale" | "introspection" | "none";
  readonly heartbeatAgeMs: number | undefined;
  readonly position: string | undefined;
  readonly revoked: number;
}

type Deps = Omit<FeedChainDeps, "view" | "onError" | "audience" | "fetch" | "staleAfterMs" | "timeoutMs"> & {
  readonly settings: Settings;
  readonly introspection: Introspection;
  readonly events: EventHub;
};

export function createRevocationCheck(deps: Deps): RevocationCheck {
  const { settings, introspection } = deps;
  if (settings.revocations === "feed") return createFeedCheck(deps);
  const { revocations } = settings;
  return {
    refuseRevoked: () => undefined,
    ask: (token, known) => (revocations === "none" ? undefined : introspection.checkActive(token, known)),
    isLive: () => true,
    state: () => ({ revocations, heartbeatAgeMs: undefined, position: undefined, revoked: 0 }),
    close: async () => undefined,
  };
}

function createFeedCheck(deps: Deps): RevocationCheck {
  const { settings, introspection, events } = deps;
  const view = createRevocationView({
    platform: deps.platform,
    staleAfterMs: settings.staleAfterMs,
    emit: (name, event) => events.emit(name, event),
  });
  const reader = createFeedReader({
    ...settings,
    ...deps,
    view,
    onError: (error) => events.emit("error", error),
  });
  return {
    refuseRevoked({ revocable }) {
      if (view.isRevoked(revocable)) throw new VerifierError("token_revoked");
    },
    ask(token, known) {
      if (view.isLive() || settings.onStale === "accept") return undefined;
      if (settings.onStale === "reject") throw new VerifierError("revocations_stale");
      return introspection.checkActive(token, known);
    },
    isLive: () => view.isLive(),
    state: () => ({
      revocations: view.isLive() ? "live" : "stale",
      heartbeatAgeMs: view.heartbeatAgeMs(),
      position: view.position(),
      revoked: view.size(),
    }),
    async close() {
      await reader.close();
      view.close();
    },
  };
}
