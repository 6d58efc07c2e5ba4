import type { Context } from "koa";
import type { Account, KnownDevices, NoteOptions } from "../accounts/index.ts";

/** Browsers may keep a cookie for 400 days at the most; what it leads to expires sooner. */
const COOKIE_MS = 400 * 24 * 60 * 60 * 1000;

/** The browser that a person signed in from before, by a cookie that says nothing about them. */
export interface KnownBrowsers {
  /** What the cookie holds, for the throttle: untrusted, and of no account yet. */
  tokenOf(ctx: Context): string | undefined;
  recognize(ctx: Context, accountId: string): ReturnType<KnownDevices["recognize"]>;
  /** Whether a sign-in from here is to be told to the person. */
  isNews(ctx: Context, account: Account): Promise<boolean>;
  /** Without `trustForSeconds` it stays as trusted as it was. Once the whole sign-in is done: half of one leaves no cookie. */
  note(ctx: Context, accountId: string, options: NoteOptions): Promise<void>;
}

export function createKnownBrowsers({
  devices,
  isSecure,
}: {
  readonly devices: Pick<KnownDevices, "recognize" | "isNews" | "note">;
  readonly isSecure: boolean;
}): KnownBrowsers {
  const name = isSecure ? "__Host-lk_browser" : "lk_browser";
  const options = {
    httpOnly: true,
    sameSite: "lax",
    secure: isSecure,
    path: "/",
    overwrite: true,
    signed: false,
  } as const;

  const tokenOf = (ctx: Context): string | undefined => ctx.cookies.get(name, { signed: false });

  return {
    tokenOf,
    recognize: (ctx, accountId) => devices.recognize(accountId, tokenOf(ctx)),
    isNews: (ctx, account) => devices.isNews(account, tokenOf(ctx)),
    async note(ctx, accountId, given) {
      const token = await devices.note(accountId, tokenOf(ctx), given);
      ctx.cookies.set(name, token, { ...options, maxAge: COOKIE_MS });
    },
  };
}
