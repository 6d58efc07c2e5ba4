import type { Context } from "koa";
import type { KnownDevices } from "../accounts/index.ts";

/** Browsers may keep a cookie for 400 days at the most; what it leads to expires sooner. */
const COOKIE_MS = 400 * 24 * 60 * 60 * 1000;

/** The browser that a person signed in from before, by a cookie that says nothing about them. */
export interface KnownBrowsers {
  recognize(ctx: Context, accountId: string): ReturnType<KnownDevices["recognize"]>;
  /** Without `trustForSeconds` it stays as trusted as it was. Once the whole sign-in is done: half of one leaves no cookie. */
  note(ctx: Context, accountId: string, options: { readonly trustForSeconds?: number | undefined }): Promise<void>;
}

export function createKnownBrowsers({
  devices,
  isSecure,
}: {
  readonly devices: Pick<KnownDevices, "recognize" | "note">;
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

  return {
    recognize: (ctx, accountId) => devices.recognize(accountId, ctx.cookies.get(name, { signed: false })),
    async note(ctx, accountId, { trustForSeconds }) {
      const token = await devices.note(accountId, ctx.cookies.get(name, { signed: false }), { trustForSeconds });
      ctx.cookies.set(name, token, { ...options, maxAge: COOKIE_MS });
    },
  };
}
