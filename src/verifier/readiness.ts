import { createDeferred } from "./deferred.ts";
import { asVerifierError, VerifierError, type VerifierErrorCode } from "./errors.ts";
import type { EventHub } from "./events.ts";
import type { KeySource } from "./key-source.ts";
import type { Platform } from "./platform.ts";
import type { RevocationCheck } from "./revocation-check.ts";

const RETRY_AFTER_MS = 500;
/** Waiting would not help: somebody has to change settings. */
const LASTING: ReadonlySet<VerifierErrorCode> = new Set([
  "client_refused",
  "issuer_misconfigured",
  "revocations_refused",
]);

/** Resolves once everything that `verify` needs is there. @throws VerifierError if it will not come by waiting. */
export async function waitUntilReady(deps: {
  readonly keys: KeySource;
  readonly revocations: RevocationCheck;
  readonly events: EventHub;
  readonly platform: Platform;
  readonly closed: AbortSignal;
}): Promise<void> {
  const { keys, revocations, events, platform, closed } = deps;
  const over = createDeferred<VerifierError | undefined>();
  const close = (): void => over.resolve(new VerifierError("verifier_closed"));
  let cancelRetry = (): void => undefined;

  async function look(): Promise<void> {
    try {
      await keys.load();
      if (revocations.isLive()) over.resolve(undefined);
    } catch (error) {
      const failure = asVerifierError(error);
      if (LASTING.has(failure.code)) over.resolve(failure);
      else cancelRetry = platform.setTimer(() => void look(), RETRY_AFTER_MS);
    }
  }

  const stopListening = [
    events.on("live", () => void look()),
    events.on("error", (error) => {
      if (LASTING.has(error.code)) over.resolve(error);
    }),
  ];
  closed.addEventListener("abort", close);
  if (closed.aborted) close();
  void look();
  const failure = await over.promise;
  for (const stop of stopListening) stop();
  closed.removeEventListener("abort", close);
  cancelRetry();
  if (failure !== undefined) throw failure;
}
