/**
 * Every sentence that the hosted pages show, in English: the catalogue that decides which keys exist.
 *
 * `{name}` is a slot; `**…**` is emphasis. Slots are escaped when they are filled in, so that a name is only ever text.
 * The voice is plain, short and second person: what happened, then what to do. No blame, no protocol words.
 */
import { account } from "./account.ts";
import { activity } from "./activity.ts";
import { byMail } from "./by-mail.ts";
import { factors } from "./factors.ts";
import { failures } from "./failures.ts";
import { layout } from "./layout.ts";
import { mail } from "./mail.ts";
import { methods } from "./methods.ts";
import { signIn } from "./sign-in.ts";

export const en = { ...layout, ...signIn, ...factors, ...failures, ...methods, ...account, ...activity, ...mail, ...byMail } as const;
