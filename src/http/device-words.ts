import { type Message, message } from "./messages.ts";

/** "Firefox on Linux", in the language of the page. `sessions` puts it together from a fixed set of English words. */
export function deviceInWords(device: string | undefined): Message {
  if (device === undefined) return message("device.unknown");
  const [, browser, system] = /^(.+) on (.+)$/.exec(device) ?? [];
  if (browser === undefined || system === undefined) return message("verbatim", { text: device });
  return message("device.browserOnSystem", { browser, system });
}

/** Around a word whose direction of writing nobody knows, so that it moves nothing beside it (Unicode: FSI and PDI). */
const ISOLATE = { start: "\u2068", end: "\u2069" } as const;

/** "192.0.2.7", with roughly where that is if somebody knows. */
export function placeInWords(
  { address }: { readonly address?: string | undefined },
  placeOf: ((address: string) => string | undefined) | undefined,
): string | undefined {
  if (address === undefined) return undefined;
  const place = placeOf?.(address);
  return place === undefined ? address : `${ISOLATE.start}${place}${ISOLATE.end} · ${address}`;
}
