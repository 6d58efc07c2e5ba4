/**
 * Tells apps that a session has ended (OpenID Connect Back-Channel Logout 1.0).
 *
 * Whoever ends a session calls `enqueueLogouts` in the same transaction: no session ends untold, and nobody is told of
 * what was rolled back. The worker of every node takes what is due, posts a token that is signed for this one try, and
 * tries again later when the app cannot be reached.
 *
 * Invariants: the call that ends a session waits for no app; an app that hangs takes no more than its share of the
 * places, so that the others are told at once; a row is tried by one node at a time, and by another when that one dies;
 * a row ends, delivered or not, within 24 hours.
 */
export type { LogoutNotice, PreparedLogout } from "./deliver-logout.ts";
export { createLogoutQueue, type EndedSession, LOGOUT_CHANNEL, type LogoutQueue } from "./logout-queue.ts";
export { createLogoutWorker, type LogoutWorker } from "./logout-worker.ts";
