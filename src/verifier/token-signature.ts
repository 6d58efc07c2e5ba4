import { base64url, compactVerify, type CryptoKey, errors, type JWSHeaderParameters } from "jose";
import { VerifierError } from "./errors.ts";
import { parseJsonObject } from "./json-object.ts";
import type { KeySource } from "./key-source.ts";
import { findComputation } from "./signature-algorithms.ts";
import { type Expectations, parseClaims, type VouchedToken } from "./verified-token.ts";

/** Decoders that overlook spaces would let one token be written in many ways. */
const SIGNATURE = /^[\w-]*$/;
/** RFC 9068, section 2.1; the whole media type is allowed as well (RFC 7515, section 4.1.9). */
const ACCESS_TOKEN_TYPES = new Set(["at+jwt", "application/at+jwt"]);
/** Tokens of one key are headed alike, letter for letter. */
const KNOWN_HEADERS_MAX = 64;

/** Keeps nothing from one use to the next. */
const utf8 = new TextDecoder("utf-8", { fatal: true });
const encoder = new TextEncoder();

/**
 * Three parts, whatever is in them: an unsigned token, say, is to be refused as such, and not asked about as if it were
 * opaque.
 */
export function isJwt(token: string): boolean {
  const first = token.indexOf(".");
  const second = token.indexOf(".", first + 1);
  return first > 0 && second > first && !token.includes(".", second + 1);
}

export interface TokenSignatures {
  /**
   * A token whose signature, type, issuer and audience are right. Times and revocation are asked at every call and not
   * here.
   *
   * @throws VerifierError
   */
  verify(token: string): Promise<VouchedToken>;
}

interface SignatureDeps {
  readonly keys: KeySource;
  readonly algorithms: readonly string[];
  readonly expected: Expectations;
}

/** A header that was judged, and the key with which a signature under it was right. */
interface KnownHeader {
  readonly alg: string;
  readonly kid: string;
  readonly key: CryptoKey;
}

/**
 * jose judges a header, the key that it names, and whether the two fit. With the same letters and the same key it could
 * only say the same again, so that from then on the computation alone is left. Only a signature that was right makes a
 * header known: strangers cannot fill what is kept.
 */
export function createTokenSignatures({ keys, algorithms, expected }: SignatureDeps): TokenSignatures {
  const known = new Map<string, KnownHeader>();
  const options = { algorithms: [...algorithms] };

  async function judge(token: string, header: string): Promise<VouchedToken> {
    // The header is judged before the key is looked for, and the key before anything is computed with it.
    const findKey = (given: JWSHeaderParameters): CryptoKey | Promise<CryptoKey> => {
      checkHeader(given);
      return keys.find(given);
    };
    const { payload, protectedHeader, key } = await compactVerify<CryptoKey>(token, findKey, options);
    const { alg, kid = "" } = protectedHeader;
    if (known.size >= KNOWN_HEADERS_MAX) known.clear();
    known.set(header, { alg, kid, key });
    return parsePayload(payload, kid, expected);
  }

  return {
    async verify(token) {
      const signatureAt = token.lastIndexOf(".") + 1;
      if (!SIGNATURE.test(token.slice(signatureAt))) throw new VerifierError("token_malformed");
      try {
        const header = token.slice(0, token.indexOf("."));
        const judged = known.get(header);
        if (judged === undefined || keys.peek(judged) !== judged.key) return await judge(token, header);
        if (!(await isSignedBy(judged, token, signatureAt))) throw new VerifierError("token_signature_invalid");
        return parsePayload(decodePart(token.slice(header.length + 1, signatureAt - 1)), judged.kid, expected);
      } catch (error) {
        throw error instanceof VerifierError ? error : new VerifierError(codeOf(error), { cause: error });
      }
    },
  };
}

async function isSignedBy({ alg, key }: KnownHeader, token: string, signatureAt: number): Promise<boolean> {
  const computation = findComputation(alg);
  if (computation === undefined) throw new VerifierError("token_algorithm_refused");
  const signature = new Uint8Array(decodePart(token.slice(signatureAt)));
  return await crypto.subtle.verify(computation, key, signature, encoder.encode(token.slice(0, signatureAt - 1)));
}

function parsePayload(payload: Uint8Array, kid: string, expected: Expectations): VouchedToken {
  const claims = parseJsonObject(decode(payload));
  if (claims === undefined) throw new VerifierError("token_malformed", { detail: "its claims are no JSON object" });
  return parseClaims(claims, kid, expected);
}

function checkHeader(header: JWSHeaderParameters): void {
  const { typ, kid, crit } = header;
  if (typeof typ !== "string" || !ACCESS_TOKEN_TYPES.has(typ.toLowerCase()))
    throw new VerifierError("token_type_wrong");
  // A key without a name could not be revoked.
  if (typeof kid !== "string" || kid === "") throw new VerifierError("token_malformed", { detail: "it names no key" });
  // Nothing that a header may call critical is understood here (RFC 7515, section 4.1.11).
  if (crit !== undefined) throw new VerifierError("token_malformed", { detail: "it has a critical extension" });
}

function codeOf(error: unknown) {
  if (error instanceof errors.JOSEAlgNotAllowed) return "token_algorithm_refused";
  if (error instanceof errors.JWSInvalid || error instanceof errors.JOSENotSupported) return "token_malformed";
  return "token_signature_invalid";
}

function decodePart(part: string): Uint8Array {
  try {
    return base64url.decode(part);
  } catch (cause) {
    throw new VerifierError("token_malformed", { cause });
  }
}

function decode(payload: Uint8Array): string {
  try {
    return utf8.decode(payload);
  } catch (cause) {
    throw new VerifierError("token_malformed", { detail: "its claims are no UTF-8", cause });
  }
}
