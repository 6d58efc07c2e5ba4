import { z } from "zod";
import { getAccount } from "./account-lookup.ts";
import { type Command, defineCommand } from "./command.ts";
import { layOutTable } from "./text-layout.ts";

/** Commands come from the machine itself: from the terminal, or through a socket that only its owner can open. */

const oneAccount = z.strictObject({ idOrEmail: z.string() });

const addUser = defineCommand({
  name: "user add",
  input: z.strictObject({
    email: z.string(),
    name: z.string(),
    password: z.string(),
    locale: z.string().optional(),
    emailVerified: z.boolean().optional(),
  }),
  run: ({ accounts }, person) => accounts.register(person, "operator"),
  describe: ({ id, email }) => `Account ${id} was created for ${email}.`,
});

const inviteUser = defineCommand({
  name: "user invite",
  input: z.strictObject({ email: z.string(), locale: z.string().optional() }),
  async run({ accounts, issuer }, { email, locale }) {
    const { token, expiresAt, isMailed, ...invitation } = await accounts.byMail.registration.invite({ email, locale });
    const link = `${issuer}/create-account/finish?token=${encodeURIComponent(token)}`;
    return { ...invitation, expiresAt, link: isMailed ? undefined : link };
  },
  describe: ({ email, link, expiresAt }) =>
    link === undefined
      ? `${email} is invited; the link in the mail works until ${inMinutes(expiresAt)}.`
      : `No mail is configured. Give ${email} this link, which works once, until ${inMinutes(expiresAt)}:\n${link}`,
});

const listUsers = defineCommand({
  name: "user list",
  input: z.strictObject({ limit: z.number(), after: z.string().optional() }),
  async run({ accounts }, page) {
    const list = await accounts.list(page);
    return { accounts: list, next: list.length === page.limit ? list.at(-1)?.id : undefined };
  },
  describe({ accounts, next }) {
    if (accounts.length === 0) return "There are no accounts here.";
    const table = layOutTable(
      ["ID", "EMAIL", "NAME", "CREATED", "STATE"],
      accounts.map((account) => [
        account.id,
        account.email,
        account.name,
        new Date(account.createdAt).toISOString().slice(0, 10),
        account.disabledAt === undefined ? "active" : "disabled",
      ]),
    );
    return next === undefined ? table : `${table}\n\nThere may be more: --after ${next}`;
  },
});

const disableUser = defineCommand({
  name: "user disable",
  input: oneAccount,
  run: async ({ accounts }, { idOrEmail }) => accounts.disable((await getAccount(accounts, idOrEmail)).id),
  describe: ({ email }) => `The account of ${email} is disabled; its sessions and tokens have ended.`,
});

const enableUser = defineCommand({
  name: "user enable",
  input: oneAccount,
  run: async ({ accounts }, { idOrEmail }) => accounts.enable((await getAccount(accounts, idOrEmail)).id),
  describe: ({ email }) => `The account of ${email} is enabled; the person can sign in again.`,
});

const unlockUser = defineCommand({
  name: "user unlock",
  input: oneAccount,
  async run({ accounts }, { idOrEmail }) {
    const { id, email } = await getAccount(accounts, idOrEmail);
    return { id, email, hadDelays: await accounts.unlock(id) };
  },
  describe: ({ email, hadDelays }) =>
    hadDelays
      ? `Failed attempts at the account of ${email} count no more: its password and codes work again.`
      : `No failed attempts counted against the account of ${email}.`,
});

const resetFactors = defineCommand({
  name: "user reset-factors",
  input: oneAccount,
  async run({ accounts, factors, sessions }, { idOrEmail }) {
    const account = await getAccount(accounts, idOrEmail);
    const { id, email } = account;
    const hadFactors = await factors.reset(id);
    // Also where there were none: whoever asks for this wants to be sure that nobody else is in.
    const { endedIds, isComplete } = await sessions.endAll(id, "factors_reset");
    return { id, email, hadFactors, endedSessions: endedIds.length, isComplete };
  },
  describe: ({ email, hadFactors, endedSessions }) =>
    `${email} ${hadFactors ? "has no second factor, passkey or recovery code any more" : "had no second factor"}. ` +
    `Sessions ended: ${endedSessions}. The account page tells the person.`,
});

function inMinutes(at: Date): string {
  return `${at.toISOString().slice(0, 16).replace("T", " ")} UTC`;
}

export const userCommands: readonly Command[] = [
  addUser,
  inviteUser,
  listUsers,
  disableUser,
  enableUser,
  unlockUser,
  resetFactors,
];
