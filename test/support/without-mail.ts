import type { AccountsByMail } from "../../src/accounts/index.ts";

/** A server that sends no mail, and so offers nothing that is proved by one. */
export const withoutMail = { isAvailable: false } as AccountsByMail;

const NEW_EMAIL = { email: "new@example.com" };

/** A server on which somebody waits for a mail. */
export const withMail: AccountsByMail = {
  ...withoutMail,
  isAvailable: true,
  findPending: async () => NEW_EMAIL,
  emailChange: { find: async () => NEW_EMAIL } as Partial<
    AccountsByMail["emailChange"]
  > as AccountsByMail["emailChange"],
};
