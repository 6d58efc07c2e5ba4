/** Deutsch. */
import type { Catalogue } from "../index.ts";
import { account } from "./account.ts";
import { activity } from "./activity.ts";
import { byMail } from "./by-mail.ts";
import { factors } from "./factors.ts";
import { failures } from "./failures.ts";
import { layout } from "./layout.ts";
import { mail } from "./mail.ts";
import { methods } from "./methods.ts";
import { signIn } from "./sign-in.ts";

export const de = { ...layout, ...signIn, ...factors, ...failures, ...methods, ...account, ...activity, ...mail, ...byMail } as const satisfies Catalogue;
