import type { Account, Accounts } from "../accounts/index.ts";
import { AppError } from "../core/index.ts";

/** The account that an operator means, by its id or its address. @throws AppError ACCOUNT_NOT_FOUND */
export async function getAccount(
  accounts: Pick<Accounts, "find" | "findByEmail">,
  idOrEmail: string,
): Promise<Account> {
  const account = await (idOrEmail.includes("@") ? accounts.findByEmail(idOrEmail) : accounts.find(idOrEmail));
  if (account === undefined) throw new AppError("ACCOUNT_NOT_FOUND");
  return account;
}
