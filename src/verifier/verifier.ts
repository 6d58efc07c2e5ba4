import { withChallenge } from "./challenges.ts";
import { asVerifierError, VerifierError } from "./errors.ts";
import { createEventHub, type EventHub, type VerifierEvents } from "./events.ts";
import { createIntrospection } from "./introspection.ts";
import { createIssuerMetadata } from "./issuer-metadata.ts";
import { createIssuerRequests } from "./issuer-requests.ts";
import { createKeySource, type KeySource } from "./key-source.ts";
import { parseOptions, type Settings, type VerifierOptions } from "./options.ts";
import { type Platform, systemPlatform } from "./platform.ts";
import { waitUntilReady } from "./readiness.ts";
import { type ParsedRequirements, parseRequirements, type Requirements } from "./requirements.ts";
import { createRevocationCheck } from "./revocation-check.ts";
import { createSignatureCache } from "./signature-cache.ts";
import { acceptToken, type Checks } from "./token-check.ts";
import { createTokenSignatures } from "./token-signature.ts";
import { createUsedProofs } from "./used-proofs.ts";
import type { VerifiedToken } from "./verified-token.ts";

export interface Verifier {
  /**
   * Resolves for a token that may be acted on right now. An empty `token`, or none, is refused with the challenge of
   * RFC 6750, section 3.1, for requests without credentials.
   *
   * @throws VerifierError and nothing else, whatever is given.
   */
  verify(token: string | undefined, requirements?: Requirements): Promise<VerifiedToken>;
  status(): VerifierStatus;
  /** Returns what stops listening. A listener that throws disturbs nobody. */
  on<Name extends keyof VerifierEvents>(name: Name, listener: (event: VerifierEvents[Name]) => void): () => void;
  /**
   * Resolves once keys are loaded and, with the feed, revocations are up to date; waits for an issuer that is away.
   *
   * @throws VerifierError `client_refused`, `issuer_misconfigured`, `revocations_refused`, `verifier_closed`: waiting
   * would not help.
   */
  ready(): Promise<void>;
  /** Ends the feed. `verify` refuses everything from then on. */
  close(): Promise<void>;
}

export interface VerifierStatus {
  /** `live` and `stale` are about the feed; the others say that there is none. */
  readonly revocations: "live" | "stale" | "introspection" | "none" | "closed";
  /** Since the last heartbeat; absent before the first one and without a feed. */
  readonly heartbeatAgeMs: number | undefined;
  /** The id of the last revocation that was seen; absent before the first heartbeat and without a feed. */
  readonly position: string | undefined;
  /** How many revocations are known. */
  readonly revoked: number;
  /** How many verified tokens are remembered. */
  readonly rememberedTokens: number;
  /** Whether the issuer's keys are known. Once they are they stay so while the issuer is away. */
  readonly keys: "unknown" | "known";
  /** What went wrong last. */
  readonly lastError: VerifierError | undefined;
}

/**
 * Starts at once: with `revocations: "feed"` it connects and stays connected until `close`.
 *
 * @throws VerifierError `options_invalid`
 */
export function createVerifier(options: VerifierOptions): Verifier {
  return createVerifierOn(systemPlatform, parseOptions(options));
}

export function createVerifierOn(platform: Platform, settings: Settings): Verifier {
  const closed = new AbortController();
  const events = createEventHub();
  const { keys, checks } = createParts({ platform, settings, events, closed: closed.signal });
  const { cache, revocations } = checks;
  let lastError: VerifierError | undefined;
  events.on("error", (error) => {
    lastError = error;
  });

  return {
    async verify(token, requirements) {
      let required: ParsedRequirements | undefined;
      try {
        required = parseRequirements(requirements);
        if (closed.signal.aborted) throw new VerifierError("verifier_closed");
        const accepted = await acceptToken(token, required, checks);
        if (closed.signal.aborted) throw new VerifierError("verifier_closed");
        return accepted;
      } catch (error) {
        const refusal = closed.signal.aborted ? new VerifierError("verifier_closed") : asVerifierError(error);
        throw withChallenge(refusal, required, settings);
      }
    },
    status() {
      const state = revocations.state();
      return {
        ...state,
        revocations: closed.signal.aborted ? "closed" : state.revocations,
        rememberedTokens: cache.size,
        keys: keys.isLoaded() ? "known" : "unknown",
        lastError,
      };
    },
    on: (name, listener) => events.on(name, listener),
    ready: async () => await waitUntilReady({ keys, revocations, events, platform, closed: closed.signal }),
    async close() {
      closed.abort();
      await revocations.close();
      cache.clear();
    },
  };
}

function createParts(deps: {
  readonly platform: Platform;
  readonly settings: Settings;
  readonly events: EventHub;
  readonly closed: AbortSignal;
}): { readonly keys: KeySource; readonly checks: Checks } {
  const { platform, settings, events, closed } = deps;
  const toleranceSeconds = settings.clockToleranceSeconds;
  const requests = createIssuerRequests({ ...settings, closed });
  const metadata = createIssuerMetadata({ issuer: settings.issuer, requests, platform });
  const introspection = createIntrospection({ metadata, requests, expected: settings });
  const cache = createSignatureCache({ platform, entriesMax: settings.rememberedTokensMax, toleranceSeconds });
  const keys = createKeySource({ metadata, requests, platform, onChanged: () => cache.clear() });
  const checks: Checks = {
    platform,
    settings,
    cache,
    introspection,
    signatures: createTokenSignatures({ keys, algorithms: settings.algorithms, expected: settings }),
    revocations: createRevocationCheck({ platform, settings, events, metadata, requests, introspection }),
    proofs: {
      platform,
      algorithms: settings.algorithms,
      ageSecondsMax: settings.proofAgeSecondsMax,
      toleranceSeconds,
      usedProofs: settings.usedProofs ?? createUsedProofs({ platform }),
    },
  };
  return { keys, checks };
}
