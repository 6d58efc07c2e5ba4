import { currentRequestScope } from "./adapter/index.ts";

/** The header of the request that is under way, as it was sent; nothing outside of one. */
export function currentUserAgent(): string | undefined {
  return currentRequestScope()?.origin?.userAgent;
}
