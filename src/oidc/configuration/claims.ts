import type { Account as ProviderAccount, Configuration, FindAccount } from "oidc-provider";
import type { Account, Accounts } from "../../accounts/index.ts";
import type { FactorPolicy } from "../../config/index.ts";
import { refuseWeakSignIn } from "./tokens.ts";

/** Claims by scope (OpenID Connect Core 1.0, section 5.4). How and when somebody signed in is always told. */
export const CLAIMS: NonNullable<Configuration["claims"]> = {
  openid: ["sub", "acr", "amr", "auth_time"],
  profile: ["name", "locale", "updated_at"],
  email: ["email", "email_verified"],
};

/** A disabled account is not found: its session, refresh tokens and codes are refused from then on. */
export function findAccount(accounts: Pick<Accounts, "find">, factorPolicy: FactorPolicy): FindAccount {
  return async (ctx, id, source) => {
    // A code is asked here first what its sign-in is worth; a refresh token before it rotates.
    if (source?.kind === "AuthorizationCode") refuseWeakSignIn(ctx, source, factorPolicy);
    const account = await accounts.find(id);
    return account === undefined || account.disabledAt !== undefined ? undefined : toProviderAccount(account);
  };
}

function toProviderAccount(account: Account): ProviderAccount {
  return {
    accountId: account.id,
    claims: async () => ({
      sub: account.id,
      name: account.name,
      ...(account.locale === undefined ? {} : { locale: account.locale }),
      updated_at: Math.floor(account.updatedAt.getTime() / 1000),
      email: account.email,
      email_verified: account.emailVerified,
    }),
  };
}
