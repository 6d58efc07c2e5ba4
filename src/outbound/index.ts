/**
 * Requests that we make ourselves, to addresses that somebody else chose (SSRF is what this folder is about).
 *
 * `address-policy.ts` says where we may go, `name-resolution.ts` finds out where a name leads, `outbound.ts` connects to
 * the very addresses that were checked.
 *
 * Invariants: https, and http only to hosts that the operator named; no connection to an address inside unless the
 * operator allowed it, also when a name changes its mind between check and use; no redirect is followed; every request
 * has a deadline; nothing unbounded is read.
 */
export { type AddressPolicy, createAddressPolicy } from "./address-policy.ts";
export type { ResolveName } from "./name-resolution.ts";
export { createOutbound, type Outbound, type OutboundPost, type OutboundResult } from "./outbound.ts";
