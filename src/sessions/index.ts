/**
 * Where people are signed in, what has been revoked, and who is told.
 *
 * `sessions.ts` is the index of sessions and everything that ends access, in one order (`endings.ts`): noted and told in
 * one transaction, then dropped from the protocol store, which `oidc` keeps (`protocol-sessions.ts`). Whatever ends access appends a record (`revocations.ts`) in the transaction that ends it. Each node follows the table
 * with a copy in memory (`revocation-log.ts`), from which it answers whether a token is revoked, and which it passes on
 * to the services that listen (`feed/`, docs/revocation-feed.md). `epoch.ts` revokes everything when the protocol store
 * was lost or came back from the past.
 *
 * Invariants: a record is committed before the call that caused it is answered; what a crash leaves undone is completed
 * by any node. Numbers are in commit order: whoever
 * has seen one has seen all smaller ones. A record is kept until the last token that it may concern has expired. No
 * reader is told that it is up to date unless the table was read just before.
 */
export type { RevocableToken } from "../verifier/index.ts";
export {
  createLogoutQueue,
  createLogoutWorker,
  LOGOUT_CHANNEL,
  type LogoutNotice,
  type LogoutQueue,
  type LogoutWorker,
  type PreparedLogout,
} from "./back-channel/index.ts";
export { describeDevice } from "./device.ts";
export { createEpochs } from "./epoch.ts";
export type { AuthenticateReader } from "./feed/feed-reader.ts";
export { createRevocationFeed, type RevocationFeed } from "./feed/revocation-feed.ts";
export { createSharedPlaces, type SharedPlaces } from "./feed/shared-places.ts";
export { type ProtocolStoreWatch, watchProtocolStore } from "./protocol-store-watch.ts";
export { createRevocationLog, type RevocationLog } from "./revocation-log.ts";
export {
  CLOCK_TOLERANCE_SECONDS,
  createRevocations,
  type NewRevocation,
  readTokenSecondsMax,
  type Revocations,
} from "./revocations.ts";
export type { EndScope } from "./ending.ts";
export {
  type Cleared,
  type Clearing,
  type ProtocolGrant,
  type ProtocolSession,
  type ProtocolSessions,
  unionOf,
} from "./protocol-sessions.ts";
export {
  createSessions,
  type EndedGrant,
  type EndResult,
  type Sessions,
  type SessionsDeps,
  type SessionSummary,
} from "./sessions.ts";
