/**
 * The pages outside an authorization request: the start page, the account page and signing out there.
 *
 * Our own account page is a client like any other: without a session the browser is sent to `signInUrl` and comes back
 * to `/account/signed-in`.
 *
 * Invariants: nothing about a person is shown without their session; what changes something is a form whose token
 * belongs to that session.
 */
export { createSelfServiceRoutes, SELF_SERVICE_ROUTES } from "./self-service-routes.ts";
