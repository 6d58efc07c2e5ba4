/**
 * The one place that looks inside oidc-provider. Each thing here has its reason; the version is pinned exactly, and a
 * test of ours fails when what it finds is not what it expects.
 *
 * - {@link findGrantType}: `registerGrantType` replaces a built-in grant type, and what it replaces cannot be had from
 *   the public door. Writing a refresh anew to add one step before it would give up every check that the library makes.
 */
import type { KoaContextWithOIDC, Provider } from "oidc-provider";
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
