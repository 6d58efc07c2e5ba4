/** What we know of the inside of oidc-provider 9.13.3; see `internals.ts`. */
declare module "oidc-provider/lib/helpers/weak_cache.js" {
  import type { KoaContextWithOIDC, Provider } from "oidc-provider";

  interface ProviderInternals {
    readonly grantTypeHandlers: ReadonlyMap<string, (ctx: KoaContextWithOIDC) => Promise<void>>;
    readonly grantTypeParams: ReadonlyMap<string | undefined, ReadonlySet<string>>;
    readonly grantTypeDupes: ReadonlyMap<string, ReadonlySet<string>>;
    /** What is published: copies of the keys' public halves. */
    readonly jwks: { readonly keys: readonly { key_ops?: readonly string[] | undefined }[] };
  }

  export default function instance(provider: Provider): ProviderInternals;
}

declare module "oidc-provider/lib/helpers/initialize_keystore.js" {
  import type { ExternalSigningKey, JWKS, Provider } from "oidc-provider";

  /** Checks the keys and, when all are right, puts them in the place of those before. */
  export default function initializeKeystore(
    this: Provider,
    jwks: { readonly keys: readonly (ExternalSigningKey | JWKS["keys"][number])[] },
  ): void;
}
