import { domainToASCII } from "node:url";

const ADDRESS_BYTES_MAX = 254; // RFC 5321, section 4.5.3.1.3, as corrected by erratum 1690
const LOCAL_PART_BYTES_MAX = 64; // RFC 5321, section 4.5.3.1.1
const TYPED_CHARACTERS_MAX = 1_024;

// A dot-string of RFC 5321 with the letters of RFC 6531. Quoted local parts are left out on purpose: nobody has one.
const LOCAL_PART = /^[\p{L}\p{M}\p{N}!#$%&'*+/=?^_`{|}~-]+(\.[\p{L}\p{M}\p{N}!#$%&'*+/=?^_`{|}~-]+)*$/u;
// `domainToASCII` parses its input as a URL's host, so that nothing that is special in a URL may reach it.
const DOMAIN_CHARACTERS = /^[\p{L}\p{M}\p{N}.-]+$/u;
const ASCII_DOMAIN = /^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+(?=[a-z0-9-]*[a-z])[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])$/;
// Characters that show nothing would make two addresses that no eye can tell apart.
const INVISIBLE = /\p{Default_Ignorable_Code_Point}/u;

export interface EmailAddress {
  /** What was typed, in NFC, with its domain in lower-case ASCII (IDNA). */
  readonly address: string;
  /** Equal for all spellings of one address; see {@link parseEmail}. */
  readonly folded: string;
}

/**
 * Reads an e-mail address; `undefined` when it is none.
 *
 * Two spellings are one address when they are equal after: trimming, NFKC (full-width letters and ligatures), lower
 * case, and IDNA for the domain. Dots and `+tags` are kept: whether they matter is the mail server's to say, and two
 * people may hold `a.b@` and `ab@`. RFC 5321 allows a mail server to tell `Alice@` from `alice@`; none does.
 */
export function parseEmail(typed: string): EmailAddress | undefined {
  if (typed.length > TYPED_CHARACTERS_MAX || INVISIBLE.test(typed.trim())) return undefined;
  const asTyped = split(typed.trim().normalize("NFC"));
  const compatible = split(typed.trim().normalize("NFKC"));
  if (asTyped === undefined || compatible === undefined) return undefined;
  const domain = toAsciiDomain(compatible.domain);
  if (domain === undefined) return undefined;
  const address = `${asTyped.local}@${domain}`;
  const folded = `${compatible.local.toLowerCase().normalize("NFKC")}@${domain}`;
  const isShortEnough = [address, folded].every((text) => Buffer.byteLength(text) <= ADDRESS_BYTES_MAX);
  return isShortEnough ? { address, folded } : undefined;
}

function split(text: string): { local: string; domain: string } | undefined {
  const at = text.lastIndexOf("@");
  const local = text.slice(0, Math.max(at, 0));
  if (!LOCAL_PART.test(local) || Buffer.byteLength(local) > LOCAL_PART_BYTES_MAX) return undefined;
  return { local, domain: text.slice(at + 1) };
}

function toAsciiDomain(domain: string): string | undefined {
  if (!DOMAIN_CHARACTERS.test(domain)) return undefined;
  const ascii = domainToASCII(domain);
  return ASCII_DOMAIN.test(ascii) ? ascii : undefined;
}
