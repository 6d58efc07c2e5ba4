import { type AdapterPayload, errors } from "oidc-provider";
import { epochSeconds } from "../../core/index.ts";
import { type ArtifactDeps, CONSUMED_NOTE, createArtifactModel } from "./artifact-model.ts";
import { parseGrantId, parseTaggedSecret } from "./identifiers.ts";
import { currentRequestScope } from "./request-scope.ts";
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
      const scope = currentRequestScope();
      if (scope !== undefined) scope.isCodeReuse = true;
      return code;
    },
    async consume(id: string): Promise<void> {
      const tag = parseTaggedSecret(id)?.tag;
      const fields: Fields = tag === undefined ? new Map() : await deps.signIns.load(tag);
      await codes.consume(id, [...fields.keys()].flatMap((name) => familyOf(name) ?? []).join(""));
    },
  };
}

/** Whether the code's grant has a refresh-token family that it had not when the code was consumed. */
function hasIssuedTokens(code: AdapterPayload, fields: Fields): boolean {
  const grantName = parseGrantId(code.grantId ?? "")?.name;
  const note = code[CONSUMED_NOTE];
  const before = new Set(typeof note === "string" ? note.match(/.{4}/g) : []);
  return [...fields].some(([name, value]) => {
    const family = familyOf(name);
    return family !== undefined && !before.has(family) && readFamilyHead(value).grantName === grantName;
  });
}

/** The family's name, always four characters, if the field is a refresh-token family. */
function familyOf(fieldName: string): string | undefined {
  return fieldName.length === 5 && fieldName.startsWith("r") ? fieldName.slice(1) : undefined;
}
