import { z } from "zod";
import { ACCESS_TOKEN_FORMATS, type ResourceServer, SIGNATURE_ALGORITHMS } from "./client.ts";
import { checkedText, InvalidSettingsError, oneOf, parseFields, shownText } from "./settings-faults.ts";
import { resourceIdentifierFault } from "./uris.ts";

/** What an operator says about a resource server; everything that is left out takes its default. */
export interface ResourceServerSettings
  extends Pick<ResourceServer, "identifier" | "name">, Partial<Omit<ResourceServer, "identifier" | "name">> {}

const ACCESS_TOKEN_SECONDS_DEFAULT = 300;
const ACCESS_TOKEN_SECONDS_MAX = 24 * 60 * 60;
const SCOPES_MAX = 100;
/** The scope of our own API, the feed of revocations: asking for it must not mean two things. */
const OWN_SCOPE = "revocations";
const IDENTITY_SCOPE = /^(openid|profile|email|address|phone|offline_access)$/;

/** The name of a scope (RFC 6749, section 3.3). Names with a meaning of their own in OpenID Connect are refused. */
export const scopeName = z
  .string("is not text")
  .max(100, "is longer than 100 characters")
  .regex(/^[!#-[\]-~]+$/, "has characters that a scope cannot have (RFC 6749, section 3.3)")
  .refine((value) => !IDENTITY_SCOPE.test(value), "is a scope of OpenID Connect; choose another name")
  .refine((value) => value !== OWN_SCOPE, "is the scope of Latchkey's own revocation feed; choose another name");

const scope = z.strictObject({ name: scopeName, description: shownText(200) }, "is not a name with a description");

const wholeSeconds = `is not a whole number from 1 to ${ACCESS_TOKEN_SECONDS_MAX}`;

const SHAPE = {
  identifier: checkedText(resourceIdentifierFault),
  name: shownText(100),
  scopes: z
    .array(scope, "is not a list")
    .max(SCOPES_MAX, `has more than ${SCOPES_MAX} entries`)
    .refine((list) => new Set(list.map(({ name }) => name)).size === list.length, "names one twice")
    .default([]),
  accessTokenFormat: oneOf(ACCESS_TOKEN_FORMATS).default("jwt"),
  accessTokenAlgorithm: oneOf(SIGNATURE_ALGORITHMS).default("ES256"),
  accessTokenSeconds: z
    .int(wholeSeconds)
    .min(1, wholeSeconds)
    .max(ACCESS_TOKEN_SECONDS_MAX, wholeSeconds)
    .default(ACCESS_TOKEN_SECONDS_DEFAULT),
} as const satisfies Record<keyof ResourceServerSettings, z.ZodType>;

/** @throws InvalidSettingsError RESOURCE_SERVER_INVALID with every fault, when there is any. */
export function parseResourceServerSettings(input: unknown): ResourceServer {
  const { values, faults } = parseFields(SHAPE, input);
  const { identifier, name, scopes, accessTokenFormat, accessTokenAlgorithm, accessTokenSeconds } = values;
  const isComplete =
    identifier !== undefined &&
    name !== undefined &&
    scopes !== undefined &&
    accessTokenFormat !== undefined &&
    accessTokenAlgorithm !== undefined &&
    accessTokenSeconds !== undefined;
  if (faults.length > 0 || !isComplete) throw new InvalidSettingsError("RESOURCE_SERVER_INVALID", faults);
  return { identifier, name, scopes, accessTokenFormat, accessTokenAlgorithm, accessTokenSeconds };
}
