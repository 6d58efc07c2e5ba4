import { type Message, message } from "../http/index.ts";
import type { SessionSummary } from "../sessions/index.ts";

/** "Firefox on Linux", in the language of the page. `sessions` puts it together from a fixed set of English words. */
export function deviceInWords(device: string | undefined): Message {
  if (device === undefined) return message("device.unknown");
  const [, browser, system] = /^(.+) on (.+)$/.exec(device) ?? [];
  if (browser === undefined || system === undefined) return message("verbatim", { text: device });
  return message("device.browserOnSystem", { browser, system });
}

/** A picture of the kind of device. */
export function deviceIcon(device: string | undefined): "phone" | "laptop" {
  return /iPhone|Android|Windows Phone/.test(device ?? "") ? "phone" : "laptop";
}

/** How the person proved who they are (RFC 8176 values); `undefined` when nothing of it has a word. */
export function methodsInWords(amr: readonly string[]): Message | undefined {
  const isPasskey = amr.includes("hwk") || amr.includes("swk");
  if (isPasskey) return amr.includes("pwd") ? message("method.passwordAndPasskey") : message("method.passkey");
  if (!amr.includes("pwd")) return undefined;
  return amr.includes("otp") ? message("method.passwordAndCode") : message("method.password");
}

/** Around a word whose direction of writing nobody knows, so that it moves nothing beside it (Unicode: FSI and PDI). */
const ISOLATE = { start: "\u2068", end: "\u2069" } as const;

/** "192.0.2.7", with roughly where that is if somebody knows. */
export function placeInWords(
  { address }: Pick<SessionSummary, "address">,
  placeOf: ((address: string) => string | undefined) | undefined,
): string | undefined {
  if (address === undefined) return undefined;
  const place = placeOf?.(address);
  return place === undefined ? address : `${ISOLATE.start}${place}${ISOLATE.end} · ${address}`;
}
