import type { Context } from "koa";
import type { Provider } from "oidc-provider";
import { ROUTES } from "./identity.ts";
import type { KeyRing } from "./keys/index.ts";

/**
 * Looks for the keys, if that was not done a moment ago, before a code or a refresh token is spent for tokens that could
 * not be signed. Resolves with `false` when the request is answered thereby.
 */
export async function confirmKeys(
  provider: Provider,
  ctx: Context,
  keyRing: Pick<KeyRing, "isConfirmed" | "confirm">,
): Promise<boolean> {
  if (ctx.path !== ROUTES.token || keyRing.isConfirmed()) return true;
  try {
    await keyRing.confirm();
    return true;
  } catch (error) {
    // As the library does with what fails within it; `response-rules.ts` makes 503 of a store that is away.
    ctx.status = 500;
    ctx.body = { error: "server_error", error_description: "something went wrong" };
    provider.emit("server_error", ctx, error instanceof Error ? error : new Error(String(error)));
    return false;
  }
}
