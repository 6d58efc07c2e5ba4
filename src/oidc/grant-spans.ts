import type { Provider } from "oidc-provider";
import { findGrantType } from "./internals.ts";

/** Runs something under a name. */
export type InSpan = <Result>(name: string, run: () => Promise<Result>) => Promise<Result>;

const GRANT_TYPES = ["authorization_code", "refresh_token", "client_credentials"] as const;

/** Names what the token endpoint does by the grant type, from where the client is known to where tokens are issued. */
export function nameGrants(provider: Provider, inSpan: InSpan): void {
  for (const name of GRANT_TYPES) {
    const { handler, parameters, duplicates } = findGrantType(provider, name);
    provider.registerGrantType(name, (ctx) => inSpan(`grant ${name}`, () => handler(ctx)), parameters, duplicates);
  }
}
