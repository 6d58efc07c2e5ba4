/**
 * The applications that may ask for tokens and the APIs that accept them.
 *
 * Settings come from an operator (command line or declarative file), are parsed once with all faults reported at once,
 * and are stored complete. Every change is one transaction that ends with a check of all references and leaves its
 * trace in the audit.
 *
 * Invariants: a redirect URI is exact and can lead nowhere but to https, this machine or a native app; a public client
 * has neither a secret nor a way around PKCE; a client's id can never be mistaken for an account's; a secret is 256
 * random bits, shown once and kept as SHA-256; what a client may ask for exists. Reads are at most a second old.
 */
export type { AppliedChange } from "./apply-declarations.ts";
export {
  AUTH_METHODS,
  type Client,
  GRANT_TYPES,
  IDENTITY_SCOPES,
  type ResourceServer,
  SIGNATURE_ALGORITHMS,
  type SignatureAlgorithm,
} from "./client.ts";
export type { ClientSettings } from "./client-settings.ts";
export { type Clients, createClients } from "./clients.ts";
export { listSecretFiles } from "./declarations.ts";
export type { ResourceServerSettings } from "./resource-server-settings.ts";
export { findClientName } from "./tables.ts";
export { InvalidSettingsError } from "./settings-faults.ts";
