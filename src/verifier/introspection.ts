import { VerifierError } from "./errors.ts";
import { type IssuerMetadata, requireEndpoint } from "./issuer-metadata.ts";
import type { IssuerRequests } from "./issuer-requests.ts";
import type { JsonObject } from "./json-object.ts";
import type { KeptValue } from "./kept-value.ts";
import { type Expectations, parseClaims, type VouchedToken } from "./verified-token.ts";

/** Asks the issuer about a token (RFC 7662). Nothing is kept: an answer is about the moment at which it was asked for. */
export interface Introspection {
  /** @throws VerifierError `token_revoked`, and `issuer_unavailable` if there is no answer. */
  checkActive(token: string, known: VouchedToken): Promise<void>;
  /** An opaque token, as the issuer describes it. @throws VerifierError `token_inactive` and what claims can lack. */
  describe(token: string): Promise<VouchedToken>;
}

/**
 * Anything that looks like an opaque token makes us ask. Strangers who send many must not pass the burden on to the
 * issuer without limit, nor pile up waiting requests here when it does not answer.
 */
const QUESTIONS_MAX = 500;

export function createIntrospection(deps: {
  readonly metadata: KeptValue<IssuerMetadata>;
  readonly requests: IssuerRequests;
  readonly expected: Expectations;
}): Introspection {
  let underway = 0;

  async function ask(token: string): Promise<JsonObject> {
    if (underway >= QUESTIONS_MAX)
      throw new VerifierError("issuer_unavailable", { detail: "too many questions at once" });
    underway += 1;
    try {
      const { introspectionEndpoint } = await deps.metadata.get();
      const endpoint = requireEndpoint(introspectionEndpoint, "introspection_endpoint");
      return await deps.requests.postForm(endpoint, { token, token_type_hint: "access_token" });
    } finally {
      underway -= 1;
    }
  }

  return {
    async checkActive(token, known) {
      const answer = await ask(token);
      if (answer["active"] !== true) throw new VerifierError("token_revoked");
      // An answer about something else says nothing about this token.
      const { claims } = known.token;
      for (const name of ["iss", "sub", "client_id", "jti", "exp"]) {
        if (answer[name] !== undefined && answer[name] !== claims[name]) throw contradicts(name);
      }
      if (answer["aud"] !== undefined && !listOf(answer["aud"]).includes(deps.expected.audience))
        throw contradicts("aud");
    },
    async describe(token) {
      const answer = await ask(token);
      if (answer["active"] !== true) throw new VerifierError("token_inactive");
      // A refresh token is active as well, and must not pass for an access token.
      const type = answer["token_type"];
      if (typeof type !== "string" || !/^(bearer|dpop)$/i.test(type)) throw new VerifierError("token_type_wrong");
      const described = parseClaims(completed(answer, deps.expected.issuer), undefined, deps.expected);
      // A bound token whose key the answer does not name would be taken from anybody (RFC 9449, section 6.2).
      if (/^dpop$/i.test(type) && !described.isBound) throw new VerifierError("token_binding_unsupported");
      return described;
    },
  };
}

/**
 * RFC 7662, section 2.2, makes nearly everything optional. The issuer was asked, so it is the issuer; where there is no
 * person, the client stands for itself, as in RFC 9068, section 2.2.
 */
function completed(answer: JsonObject, issuer: string): JsonObject {
  const { active: _active, token_type: _type, ...claims } = answer;
  return { iss: issuer, sub: claims["client_id"], ...definedIn(claims) };
}

function definedIn(claims: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(claims).filter(([, value]) => value !== null && value !== undefined));
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [value];
}

function contradicts(name: string): VerifierError {
  return new VerifierError("token_inactive", { detail: `the issuer's answer has another ${name}` });
}
