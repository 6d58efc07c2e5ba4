import { onTestFinished, vi } from "vitest";
import { VerifierError } from "./errors.ts";
import type { VerifierEvents } from "./events.ts";
import type { FakeIssuer } from "./fake-issuer-fixture.ts";
import { parseOptions, type VerifierOptions } from "./options.ts";
import { type Platform, systemPlatform } from "./platform.ts";
import { createVerifierOn, type Verifier } from "./verifier.ts";

/** What a test may change of a verifier; `staleAfterMs` may be less than an operator could choose. */
export interface VerifierChanges extends Partial<VerifierOptions> {
  readonly platform?: Platform;
}

/** Longer than any pause of a busy machine, for tests in which the feed is not to become stale. */
const STALE_AFTER_MS = 5_000;
/** For those that wait until it does. */
export const SOON_STALE_MS = 300;

/** A verifier for the fake issuer that ends with the test. */
export function startVerifier(issuer: FakeIssuer, changes: VerifierChanges = {}): Verifier {
  const { platform, staleAfterMs = STALE_AFTER_MS, ...options } = changes;
  const settings = { ...parseOptions(issuer.options(options)), staleAfterMs };
  const verifier = createVerifierOn(platform ?? systemPlatform, settings);
  onTestFinished(() => verifier.close());
  return verifier;
}

/** `accepted`, or the code of the refusal. */
export async function codeOf(promise: Promise<unknown>): Promise<string> {
  return await promise.then(
    () => "accepted",
    (error: unknown) => (error instanceof VerifierError ? error.code : "something else was thrown"),
  );
}

/** The error that it was refused with. */
export async function refusalOf(promise: Promise<unknown>): Promise<VerifierError> {
  const outcome = await promise.then(
    () => undefined,
    (error: unknown) => error,
  );
  if (!(outcome instanceof VerifierError)) throw new Error("it was not refused by a VerifierError", { cause: outcome });
  return outcome;
}

/** The next event of that name, or the next one that `isIt`. */
export async function nextEvent<Name extends keyof VerifierEvents>(
  verifier: Verifier,
  name: Name,
  isIt: (event: VerifierEvents[Name]) => boolean = () => true,
): Promise<VerifierEvents[Name]> {
  return await new Promise((resolve) => {
    const stop = verifier.on(name, (event) => {
      if (!isIt(event)) return;
      stop();
      resolve(event);
    });
  });
}

export async function eventually(assertion: () => void): Promise<void> {
  await vi.waitFor(assertion, { timeout: 5_000, interval: 10 });
}

export function nowSeconds(): number {
  return Math.floor(systemPlatform.nowMs() / 1_000);
}
