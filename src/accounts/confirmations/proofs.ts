import { type Authenticator, randomOctets } from "../../core/index.ts";
import type { ConfirmationPurpose } from "./confirmation.ts";

const TOKEN_PURPOSE = "confirmation-token";
const CODE_PURPOSE = "confirmation-code";
/** An id of 128 bits and a digest of 256, in base64url. */
const TOKEN = /^([\w-]{22})\.([\w-]{43})$/;
const CODE_VALUES = 1_000_000;
const CODE_DIGITS = 6;
const UINT32_VALUES = 2 ** 32;

/**
 * What a link carries: the id, and a keyed digest of it that only this server can make. It is stored nowhere, so that no
 * copy of the database is a set of links. The purpose is in the digest: a link of one kind is none of another.
 */
export function linkToken(authenticator: Authenticator, purpose: ConfirmationPurpose, id: string): string {
  return `${id}.${authenticator.digest(TOKEN_PURPOSE, `${purpose}:${id}`)}`;
}

/** The id that a link's token proves; `undefined` when it is none of ours for any of these purposes. */
export function readLinkToken(
  authenticator: Authenticator,
  purposes: readonly ConfirmationPurpose[],
  token: string,
): string | undefined {
  const [, id, digest] = TOKEN.exec(token) ?? [];
  if (id === undefined || digest === undefined) return undefined;
  const isOurs = purposes.some((purpose) => authenticator.verify(TOKEN_PURPOSE, `${purpose}:${id}`, digest));
  return isOurs ? id : undefined;
}

/** Six digits, each as likely as another. */
export function makeCode(): string {
  const fair = UINT32_VALUES - (UINT32_VALUES % CODE_VALUES);
  let drawn = randomOctets(4).readUInt32BE();
  while (drawn >= fair) drawn = randomOctets(4).readUInt32BE();
  return String(drawn % CODE_VALUES).padStart(CODE_DIGITS, "0");
}

/** What a person typed as digits, in any script and with spaces and hyphens anywhere; empty when it is no code. */
function parseCode(typed: string): string {
  const compact = typed
    .slice(0, 64)
    .normalize("NFKC")
    .replaceAll(/[\s\p{Pd}]/gu, "");
  return /^\d{6}$/.test(compact) ? compact : "";
}

/** Keyed: a million codes are soon tried out against a plain digest. */
export function digestMailCode(authenticator: Authenticator, id: string, code: string): string {
  return authenticator.digest(CODE_PURPOSE, `${id}:${code}`);
}

/** @param digest `undefined` where the mail had no code: it is compared all the same, and never right. */
export function isMailCode(
  authenticator: Authenticator,
  { id, typed }: { readonly id: string; readonly typed: string },
  digest: string | undefined,
): boolean {
  const code = parseCode(typed);
  const isRight = authenticator.verify(
    CODE_PURPOSE,
    `${id}:${code}`,
    digest ?? digestMailCode(authenticator, id, "none"),
  );
  return isRight && code !== "" && digest !== undefined;
}
