/** What we know of the inside of oidc-provider 9.13.3; see `internals.ts`. */
declare module "oidc-provider/lib/helpers/weak_cache.js" {
  import type { KoaContextWithOIDC, Provider } from "oidc-provider";

  interface ProviderInternals {
    readonly grantTypeHandlers: ReadonlyMap<string, (ctx: KoaContextWithOIDC) => Promise<void>>;
    readonly grantTypeParams: ReadonlyMap<string | undefined, ReadonlySet<string>>;
    readonly grantTypeDupes: ReadonlyMap<string, ReadonlySet<string>>;
  }

  export default function instance(provider: Provider): ProviderInternals;
}
