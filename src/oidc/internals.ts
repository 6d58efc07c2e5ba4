/**
 * The one place that looks inside oidc-provider. Each thing here has its reason; the version is pinned exactly, and a
 * test of ours fails when what it finds is not what it expects.
 *
 * - {@link findGrantType}: `registerGrantType` replaces a built-in grant type, and what it replaces cannot be had from
 *   the public door. Writing a refresh anew to add one step before it would give up every check that the library makes.
 * - {@link replaceKeys}: keys are read once at the construction by the public door, but at each use inside. This is what
 *   the constructor itself calls. A new Provider for every rotation would have to be given to all that holds this one.
 */
import type { ExternalSigningKey, KoaContextWithOIDC, Provider } from "oidc-provider";
import initializeKeystore from "oidc-provider/lib/helpers/initialize_keystore.js";
import instance from "oidc-provider/lib/helpers/weak_cache.js";

export interface GrantType {
  readonly handler: (ctx: KoaContextWithOIDC) => Promise<void>;
  readonly parameters: ReadonlySet<string>;
  /** Parameters that may come more than once. */
  readonly duplicates: ReadonlySet<string>;
}

/** A grant type as it is registered. @throws Error when there is none of this name. */
export function findGrantType(provider: Provider, name: string): GrantType {
  const { grantTypeHandlers, grantTypeParams, grantTypeDupes } = instance(provider);
  const handler = grantTypeHandlers.get(name);
  if (handler === undefined) throw new Error(`oidc-provider has no grant type ${name}`);
  return {
    handler,
    parameters: grantTypeParams.get(name) ?? new Set(),
    duplicates: grantTypeDupes.get(name) ?? new Set(),
  };
}

/**
 * Publishes and signs with these keys from now on; not with those that are only to verify. A request that has chosen
 * its key already signs with that one.
 *
 * @throws Error, and changes nothing, when the library could not use one of them.
 */
export function replaceKeys(provider: Provider, keys: readonly ExternalSigningKey[]): void {
  initializeKeystore.call(provider, { keys });
  // To the library it says what signs. To others it would say so as well, beside `use` (RFC 7517, section 4.3).
  for (const key of instance(provider).jwks.keys) key.key_ops = undefined;
}
