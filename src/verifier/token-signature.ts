import { compactVerify, errors, type JWSHeaderParameters } from "jose";
import { VerifierError } from "./errors.ts";
import { parseJsonObject } from "./json-object.ts";
import type { KeySource } from "./key-source.ts";
import { type Expectations, parseClaims, type VouchedToken } from "./verified-token.ts";

/** Decoders that overlook spaces would let one token be written in many ways. */
const SIGNATURE = /^[\w-]*$/;
/** RFC 9068, section 2.1; the whole media type is allowed as well (RFC 7515, section 4.1.9). */
const ACCESS_TOKEN_TYPES = new Set(["at+jwt", "application/at+jwt"]);

/** Keeps nothing from one use to the next. */
const utf8 = new TextDecoder("utf-8", { fatal: true });

/**
 * Three parts, whatever is in them: an unsigned token, say, is to be refused as such, and not asked about as if it were
 * opaque.
 */
export function isJwt(token: string): boolean {
  const first = token.indexOf(".");
  const second = token.indexOf(".", first + 1);
  return first > 0 && second > first && !token.includes(".", second + 1);
}

/**
 * A token whose signature, type, issuer and audience are right. Times and revocation are asked at every call and not
 * here.
 *
 * @throws VerifierError
 */
export async function verifySignature(token: string, deps: SignatureDeps): Promise<VouchedToken> {
  if (!SIGNATURE.test(token.slice(token.lastIndexOf(".") + 1))) throw new VerifierError("token_malformed");
  try {
    // The header is judged before the key is looked for, and the key before anything is computed with it.
    const { payload, protectedHeader } = await compactVerify(token, (header) => findKey(header, deps), {
      algorithms: [...deps.algorithms],
    });
    return parsePayload(payload, protectedHeader.kid ?? "", deps.expected);
  } catch (error) {
    throw error instanceof VerifierError ? error : new VerifierError(codeOf(error), { cause: error });
  }
}

interface SignatureDeps {
  readonly keys: KeySource;
  readonly algorithms: readonly string[];
  readonly expected: Expectations;
}

function findKey(header: JWSHeaderParameters, { keys }: SignatureDeps) {
  checkHeader(header);
  return keys.find(header);
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

function decode(payload: Uint8Array): string {
  try {
    return utf8.decode(payload);
  } catch (cause) {
    throw new VerifierError("token_malformed", { detail: "its claims are no UTF-8", cause });
  }
}
