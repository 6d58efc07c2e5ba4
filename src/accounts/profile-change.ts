import type { Audit } from "../audit/index.ts";
import { AppError, type Clock } from "../core/index.ts";
import type { Db } from "../storage/index.ts";
import type { Account, RequestSource } from "./account.ts";
import { AccountFieldInvalidError } from "./account-input-errors.ts";
import { lockAccount, setProfile } from "./account-records.ts";
import { parseLocale, parseName } from "./profile.ts";

/** What a person typed. Untrusted. */
export interface ProfileInput {
  readonly name: string;
  /** `undefined`: none, so that the browser's language decides. */
  readonly locale: string | undefined;
}

export interface ProfileChangeDependencies {
  readonly db: Db;
  readonly clock: Clock;
  readonly audit: Audit;
}

/** Only a change is recorded, and by the names of the fields: what was typed has no place in the log. */
export function createProfileChange({ db, clock, audit }: ProfileChangeDependencies) {
  return async function changeProfile(id: string, input: ProfileInput, source: RequestSource): Promise<Account> {
    const name = parseName(input.name);
    if (name === undefined) throw new AccountFieldInvalidError("name");
    const locale = input.locale === undefined ? undefined : parseLocale(input.locale);
    if (input.locale !== undefined && locale === undefined) throw new AccountFieldInvalidError("locale");
    return db.transaction().execute(async (tx) => {
      const before = await lockAccount(tx, id);
      if (before === undefined) throw new AppError("ACCOUNT_NOT_FOUND");
      const fields = [...(name === before.name ? [] : ["name"]), ...(locale === before.locale ? [] : ["locale"])];
      if (fields.length === 0) return before;
      const now = new Date(clock.nowMs());
      await setProfile(tx, id, { name, locale, now });
      await audit.append(tx, { type: "profile_changed", accountId: id, data: { fields }, ...source });
      return { ...before, name, locale, updatedAt: now };
    });
  };
}
