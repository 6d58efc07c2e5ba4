import type { Account as ProviderAccount, Configuration, FindAccount } from "oidc-provider";
import type { Account, Accounts } from "../../accounts/index.ts";

/** Claims by scope (OpenID Connect Core 1.0, section 5.4). How and when somebody signed in is always told. */
export const CLAIMS: NonNullable<Configuration["claims"]> = {
  openid: ["sub", "acr", "amr", "auth_time"],
  profile: ["name", "locale", "updated_at"],
  email: ["email", "email_verified"],
};

/** A disabled account is not found: its session, refresh tokens and codes are refused from then on. */
export function findAccount(accounts: Pick<Accounts, "find">): FindAccount {
  return async (_ctx, id) => {
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
