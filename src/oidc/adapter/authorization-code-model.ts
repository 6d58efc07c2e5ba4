import { type AdapterPayload, errors } from "oidc-provider";
import { epochSeconds } from "../../core/index.ts";
import { type ArtifactDeps, createArtifactModel } from "./artifact-model.ts";
import { parseGrantId, parseTaggedSecret } from "./identifiers.ts";
import { readFamilyHead } from "./sign-in-fields.ts";
import type { Fields } from "./store.ts";

/** How long a redemption may be under way: the time between the code's end and the tokens' beginning. */
const REDEMPTION_SECONDS = 2;

/**
 * Authorization codes. A second use makes the library revoke what the first one issued (RFC 6749, section 4.1.2).
 *
 * An app that sends its code twice at once is no thief, and revoking would take the grant from under the request that
 * won. So while the first use has issued nothing yet, the second is refused and nothing is revoked.
 */
export function createAuthorizationCodeModel(deps: ArtifactDeps) {
  const codes = createArtifactModel(deps, "AuthorizationCode");

  return {
    ...codes,
    async find(id: string): Promise<AdapterPayload | undefined> {
      const code = await codes.find(id);
      const tag = parseTaggedSecret(id)?.tag;
      if (code === undefined || tag === undefined || typeof code.consumed !== "number") return code;
      const isRecent = epochSeconds(deps.clock) - code.consumed < REDEMPTION_SECONDS;
      if (isRecent && !hasIssuedTokens(code, await deps.signIns.load(tag))) {
        throw new errors.InvalidGrant("the code is being redeemed by another request");
      }
      return code;
    },
  };
}

/** Whether a refresh-token family began with this code. */
function hasIssuedTokens(code: AdapterPayload, fields: Fields): boolean {
  const grantName = parseGrantId(code.grantId ?? "")?.name;
  return [...fields].some(([name, value]) => {
    if (name.length < 2 || !name.startsWith("r")) return false;
    const family = readFamilyHead(value);
    return family.grantName === grantName && family.firstIssuedAt >= (code.iat ?? 0);
  });
}
