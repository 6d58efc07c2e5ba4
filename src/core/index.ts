/**
 * What everything else stands on: time, randomness, hashing, sealing and the catalogue of errors.
 *
 * Nothing here performs I/O or knows a feature. Time and randomness come from here only, so that tests can replace
 * the clock and a reader can find every place that draws a secret.
 */
export { background } from "./background.ts";
export { type Clock, epochSeconds, machineClock, stopwatchMs, systemClock } from "./clock.ts";
export { AppError, type ErrorCode, isAppError } from "./errors.ts";
export { createFreshCache, type FreshCache } from "./fresh-cache.ts";
export { createGatheredLoad } from "./gathered-load.ts";
export { equalOctets, hmacSha256, sha256 } from "./hashing.ts";
export { joinCallers } from "./join-callers.ts";
export { createKeySeals, type KeySeals } from "./key-seals.ts";
export { createLookout, type Lookout } from "./lookout.ts";
export { randomOctets, randomReference, randomToken } from "./random.ts";
export {
  type Authenticator,
  type CookieSigner,
  createAuthenticator,
  createCookieSigner,
  createSealer,
  type Sealer,
} from "./sealing.ts";
export { sourceFile, sourceProgram } from "./source-file.ts";
