/** What a setting may be, as zod reads it: each with its words for what is wrong. */
import { isIP } from "node:net";
import { z } from "zod";

export const port = (fallback: number) =>
  z
    .string()
    .regex(/^\d{1,5}$/, "is not a port number")
    .transform(Number)
    .refine((value) => value <= 65_535, "is not a port number")
    .default(fallback);

export const wholeNumber = (fallback: number, least: number, most: number) =>
  z
    .string()
    .regex(/^\d{1,9}$/, "is not a whole number")
    .transform(Number)
    .refine((value) => value >= least && value <= most, `is not between ${least} and ${most}`)
    .default(fallback);

export const optionalPort = z
  .string()
  .regex(/^\d{1,5}$/, "is not a port number")
  .transform(Number)
  .refine((value) => value > 0 && value <= 65_535, "is not a port number")
  .optional();

export const optionalUrl = (schemes: readonly string[]) =>
  z
    .string()
    .refine(
      (value) => {
        const scheme = /^([a-z][a-z0-9+.-]*):\/\/./i.exec(value)?.[1]?.toLowerCase();
        return scheme !== undefined && schemes.includes(scheme);
      },
      `does not begin with ${schemes.map((scheme) => `${scheme}://`).join(" or ")}`,
    )
    .optional();

/** What paths are added to. */
export const plainUrl = z
  .string()
  .refine(
    (value) => /^https?:\/\//.test(value) && URL.canParse(value) && !/[?#@]/.test(value),
    "is not an address such as https://api.pwnedpasswords.com",
  );

export const webUrl = optionalUrl(["https", "http", "mailto"]);

/** An address with the length of its prefix, such as `10.0.0.0/8`. */
function isNetwork(text: string): boolean {
  const [, address = "", prefix] = /^([^/]+)\/(\d{1,3})$/.exec(text) ?? [];
  return Number(prefix) <= (isIP(address) === 4 ? 32 : 128) && isIP(address) !== 0;
}

export const proxies = z
  .string()
  .transform((value) => (/^\d+$/.test(value) ? Number(value) : value.split(",").map((part) => part.trim())))
  .refine(
    (value) => (typeof value === "number" ? value <= 10 : value.every(isNetwork)),
    "is neither a number of proxies nor a list of networks",
  )
  .default(0);

/** A host name, or an address, without a port. */
function isHost(text: string): boolean {
  return isIP(text) !== 0 || /^(?!\d+(\.\d+)*$)[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/i.test(text);
}

export const networksOrHosts = z
  .string()
  .transform((value) => value.split(",").map((part) => part.trim()))
  .refine((list) => list.length <= 100, "has more than 100 entries")
  .refine(
    (list) => list.every((entry) => isNetwork(entry) || isHost(entry)),
    "is not a list of networks, addresses and host names",
  )
  .default([]);

/** One issuer is one origin: no path, no query, no trailing slash, so that every party spells it alike. */
export const issuer = z
  .string()
  .refine(
    (value) => /^https?:/.test(value) && URL.canParse(value) && new URL(value).origin === value,
    "is not an origin such as https://id.example.com",
  )
  .optional();

export const secrets = z
  .string()
  .transform((value) => value.split(",").map((part) => part.trim()))
  .refine((list) => list.every((secret) => Buffer.byteLength(secret) >= 32), "has a secret of fewer than 32 bytes")
  .refine((list) => list.every((secret) => new Set(secret).size >= 12), "has a secret that is too regular to be random")
  .refine((list) => new Set(list).size === list.length, "names the same secret twice")
  .optional();

/** `name=value` pairs with values in percent-encoding, as the W3C Baggage format and OpenTelemetry have them. */
export const headers = z
  .string()
  .transform((value) => value.split(",").map((pair) => /^\s*([!#$%&'*+.^_`|~\w-]+)\s*=\s*(.*?)\s*$/.exec(pair)))
  .refine(
    (pairs) => pairs.every((pair) => pair !== null && isPercentEncoded(pair[2] ?? "")),
    "is not a list of name=value",
  )
  .transform((pairs) =>
    Object.fromEntries(pairs.map((pair): [string, string] => [pair?.[1] ?? "", decodeURIComponent(pair?.[2] ?? "")])),
  )
  .optional();

/** Also visible: a control character in a header would begin another one. */
function isPercentEncoded(text: string): boolean {
  return /^(?:[\x20-\x24\x26-\x7e]|%[2-7][0-9a-f])*$/i.test(text) && !/%7f/i.test(text);
}

export const ratio = z
  .string()
  .regex(/^(0(\.\d{1,6})?|1(\.0{1,6})?)$/, "is not a number from 0 to 1")
  .transform(Number)
  .default(1);
