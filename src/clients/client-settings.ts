import { z } from "zod";
import { FACTOR_POLICIES } from "../config/index.ts";
import { type AddressPolicy, createAddressPolicy } from "../outbound/index.ts";
import {
  AUTH_METHODS,
  type Client,
  type ClientMetadata,
  GRANT_TYPES,
  IDENTITY_SCOPES,
  SIGNATURE_ALGORITHMS,
} from "./client.ts";
import {
  checkedText,
  distinctList,
  flag,
  InvalidSettingsError,
  oneOf,
  parseFields,
  type SettingsFault,
  shownText,
} from "./settings-faults.ts";
import { scopeName } from "./resource-server-settings.ts";
import {
  logoutUriFault,
  originFault,
  redirectUriFault,
  resourceIdentifierFault,
  webOriginsOf,
  webUriFault,
} from "./uris.ts";

/** What an operator says about a client; everything that is left out takes its default. */
export interface ClientSettings extends Pick<Client, "id" | "name">, Partial<ClientMetadata> {}

/** Settings that were checked, with every default filled in. */
export interface ParsedClient extends Pick<Client, "id" | "name"> {
  readonly metadata: ClientMetadata;
}

const LIST_ENTRIES_MAX = 50;
const KEYS_MAX = 20;
const RESERVED_ID = "latchkey-account";

/** Whether a client may have this id. Asked of every id that a request names before the database is. */
export function isClientId(value: string): boolean {
  return clientIdFault(value) === undefined;
}

function clientIdFault(value: string): string | undefined {
  if (!/^[A-Za-z0-9._-]{1,64}$/.test(value)) return "is not 1 to 64 letters, digits, dots, underscores and hyphens";
  if (value === RESERVED_ID) return "is reserved for Latchkey's own account page";
  // A client-credentials token carries the client's id as `sub`: it must never read as a person (RFC 9700, 4.15).
  return /^[A-Za-z0-9_-]{22}$/.test(value)
    ? "has the 22 characters of an account's id; choose another length"
    : undefined;
}

const PRIVATE_MEMBERS = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

const publicKey = z
  .looseObject({ kty: oneOf(["RSA", "EC", "OKP"]) }, "is not a JSON Web Key")
  .refine(
    (key) => PRIVATE_MEMBERS.every((member) => !(member in key)),
    "holds a private key; register its public part",
  );

const keySet = z.strictObject(
  { keys: z.array(publicKey, "is not a list").min(1, "is empty").max(KEYS_MAX, `has more than ${KEYS_MAX} keys`) },
  "is not a JSON Web Key Set",
);

const resourceAccess = z.strictObject(
  { identifier: checkedText(resourceIdentifierFault), scopes: distinctList(scopeName, 100).default([]) },
  "is not an identifier with scopes",
);

const webUri = checkedText(webUriFault).optional();
const redirectUriList = distinctList(checkedText(redirectUriFault), LIST_ENTRIES_MAX).optional();

const REFRESH_SECONDS_MAX = 365 * 24 * 60 * 60;
const REFRESH_SECONDS_PROBLEM = `is not a whole number of seconds from 60 to ${REFRESH_SECONDS_MAX}`;
const refreshLife = z
  .int(REFRESH_SECONDS_PROBLEM)
  .min(60, REFRESH_SECONDS_PROBLEM)
  .max(REFRESH_SECONDS_MAX, REFRESH_SECONDS_PROBLEM)
  .optional();

/** Which keys there are and what each may hold; defaults are filled in afterwards, because some hang on others. */
const SHAPE = {
  id: checkedText(clientIdFault),
  name: shownText(100),
  isFirstParty: flag.optional(),
  authMethod: oneOf(AUTH_METHODS).optional(),
  grantTypes: distinctList(oneOf(GRANT_TYPES), GRANT_TYPES.length).optional(),
  redirectUris: redirectUriList,
  postLogoutRedirectUris: redirectUriList,
  allowedOrigins: distinctList(checkedText(originFault), LIST_ENTRIES_MAX).optional(),
  backchannelLogoutUri: checkedText(logoutUriFault).optional(),
  backchannelLogoutSessionRequired: flag.optional(),
  homeUri: webUri,
  initiateLoginUri: webUri,
  logoUri: webUri,
  policyUri: webUri,
  termsUri: webUri,
  jwks: keySet.optional(),
  jwksUri: webUri,
  scopes: distinctList(oneOf(IDENTITY_SCOPES), IDENTITY_SCOPES.length).optional(),
  resources: z
    .array(resourceAccess, "is not a list")
    .max(LIST_ENTRIES_MAX, `has more than ${LIST_ENTRIES_MAX} entries`)
    .refine((list) => new Set(list.map(({ identifier }) => identifier)).size === list.length, "names one twice")
    .optional(),
  defaultResource: checkedText(resourceIdentifierFault).optional(),
  introspects: distinctList(checkedText(resourceIdentifierFault), LIST_ENTRIES_MAX).optional(),
  idTokenAlgorithm: oneOf(SIGNATURE_ALGORITHMS).optional(),
  requirePkce: flag.optional(),
  requirePushedAuthorizationRequests: flag.optional(),
  dpopBoundAccessTokens: flag.optional(),
  refreshIdleSeconds: refreshLife,
  refreshMaxSeconds: refreshLife,
  mfa: oneOf(FACTOR_POLICIES).optional(),
} as const satisfies Record<keyof ClientSettings, z.ZodType>;

type Key = keyof ClientSettings;

/** What no single key shows. `involves` names the keys that must be right for the rule to mean anything. */
interface Rule {
  readonly key: Key;
  readonly problem: string;
  readonly involves: readonly Key[];
  readonly isBroken: (client: ClientMetadata) => boolean;
}

const RULES: readonly Rule[] = [
  {
    key: "grantTypes",
    problem: "is empty",
    involves: [],
    isBroken: ({ grantTypes }) => grantTypes.length === 0,
  },
  {
    key: "grantTypes",
    problem: "has client_credentials, which a public client (authMethod none) cannot use (RFC 6749, section 4.4)",
    involves: ["authMethod"],
    isBroken: ({ authMethod, grantTypes }) => authMethod === "none" && grantTypes.includes("client_credentials"),
  },
  {
    key: "grantTypes",
    problem: "has refresh_token without authorization_code, which is what issues refresh tokens",
    involves: [],
    isBroken: ({ grantTypes }) => grantTypes.includes("refresh_token") && !grantTypes.includes("authorization_code"),
  },
  {
    key: "redirectUris",
    problem: "is empty, and authorization_code needs at least one",
    involves: ["grantTypes", "authMethod"],
    isBroken: ({ grantTypes, redirectUris }) => grantTypes.includes("authorization_code") && redirectUris.length === 0,
  },
  {
    key: "redirectUris",
    problem: "is not empty, and nothing but authorization_code redirects",
    involves: ["grantTypes"],
    isBroken: ({ grantTypes, redirectUris }) => redirectUris.length > 0 && !grantTypes.includes("authorization_code"),
  },
  {
    key: "scopes",
    problem: "has offline_access, which needs the grant type refresh_token",
    involves: ["grantTypes"],
    isBroken: ({ grantTypes, scopes }) => scopes.includes("offline_access") && !grantTypes.includes("refresh_token"),
  },
  {
    key: "scopes",
    problem: "has profile or email without openid (OpenID Connect Core, section 5.4)",
    involves: [],
    isBroken: ({ scopes }) => !scopes.includes("openid") && scopes.some((scope) => scope !== "offline_access"),
  },
  {
    key: "defaultResource",
    problem: "is not one of resources",
    involves: ["resources"],
    isBroken: ({ defaultResource, resources }) =>
      defaultResource !== undefined && resources.every(({ identifier }) => identifier !== defaultResource),
  },
  {
    key: "introspects",
    problem: "is not empty, and a public client cannot prove who it is (RFC 7662, section 2.1)",
    involves: ["authMethod"],
    isBroken: ({ authMethod, introspects }) => authMethod === "none" && introspects.length > 0,
  },
  {
    key: "backchannelLogoutUri",
    problem: "is of no use to a client that signs nobody in; it needs the grant type authorization_code",
    involves: ["grantTypes"],
    isBroken: ({ backchannelLogoutUri, grantTypes }) =>
      backchannelLogoutUri !== undefined && !grantTypes.includes("authorization_code"),
  },
  {
    key: "backchannelLogoutSessionRequired",
    problem: "has no meaning without backchannelLogoutUri",
    involves: ["backchannelLogoutUri"],
    isBroken: ({ backchannelLogoutUri, backchannelLogoutSessionRequired }) =>
      backchannelLogoutUri === undefined && backchannelLogoutSessionRequired !== undefined,
  },
  {
    key: "refreshIdleSeconds",
    problem: "is longer than refreshMaxSeconds",
    involves: ["refreshMaxSeconds"],
    isBroken: ({ refreshIdleSeconds, refreshMaxSeconds }) =>
      refreshIdleSeconds !== undefined && refreshMaxSeconds !== undefined && refreshIdleSeconds > refreshMaxSeconds,
  },
  {
    key: "requirePkce",
    problem: "cannot be false for a public client (RFC 9700, section 2.1.1)",
    involves: ["authMethod"],
    isBroken: ({ authMethod, requirePkce }) => authMethod === "none" && !requirePkce,
  },
  {
    key: "jwks",
    problem: "or jwksUri is needed by private_key_jwt",
    involves: ["authMethod", "jwksUri"],
    isBroken: ({ authMethod, jwks, jwksUri }) => authMethod === "private_key_jwt" && (jwks ?? jwksUri) === undefined,
  },
  {
    key: "jwks",
    problem: "and jwksUri are both given; keep one",
    involves: ["jwksUri"],
    isBroken: ({ jwks, jwksUri }) => jwks !== undefined && jwksUri !== undefined,
  },
];

const PUBLIC_ONLY = createAddressPolicy([]);

/**
 * @param addresses where we may be made to send requests; the public internet only, when absent.
 * @throws InvalidSettingsError CLIENT_INVALID with every fault, when there is any.
 */
export function parseClientSettings(input: unknown, addresses: AddressPolicy = PUBLIC_ONLY): ParsedClient {
  const { values, faults } = parseFields(SHAPE, input);
  const metadata = fillIn(values);
  const all = [...faults, ...brokenRules(metadata, faults), ...innerAddresses(metadata, addresses)];
  const { id, name } = values;
  if (all.length > 0 || id === undefined || name === undefined) throw new InvalidSettingsError("CLIENT_INVALID", all);
  return { id, name, metadata };
}

/** A name may lead inside as well; that is found out when it is used. */
function innerAddresses({ backchannelLogoutUri }: ClientMetadata, addresses: AddressPolicy): readonly SettingsFault[] {
  const problem = backchannelLogoutUri === undefined ? undefined : addresses.uriFault(backchannelLogoutUri);
  return problem === undefined ? [] : [{ key: "backchannelLogoutUri", problem }];
}

function brokenRules(metadata: ClientMetadata, faults: readonly SettingsFault[]): readonly SettingsFault[] {
  const faultyKeys = new Set(faults.map(({ key }) => key.replace(/[.[].*$/, "")));
  return RULES.filter(({ key, involves }) => ![key, ...involves].some((one) => faultyKeys.has(one)))
    .filter(({ isBroken }) => isBroken(metadata))
    .map(({ key, problem }) => ({ key, problem }));
}

/** Defaults make the common single-page app an entry of three keys: id, name and redirectUris. */
function fillIn(values: ReturnType<typeof parseFields<typeof SHAPE>>["values"]): ClientMetadata {
  const { id: _id, name: _name, ...given } = values;
  const authMethod = given.authMethod ?? "none";
  const redirectUris = given.redirectUris ?? [];
  const grantTypes = given.grantTypes ?? defaultGrantTypes({ authMethod, redirectUris });
  return {
    ...given,
    isFirstParty: given.isFirstParty ?? false,
    authMethod,
    grantTypes,
    redirectUris,
    postLogoutRedirectUris: given.postLogoutRedirectUris ?? [],
    // Only public clients call us from a browser; what runs on a server needs no CORS.
    allowedOrigins: given.allowedOrigins ?? (authMethod === "none" ? webOriginsOf(redirectUris) : []),
    scopes: given.scopes ?? defaultScopes(grantTypes),
    resources: given.resources ?? [],
    introspects: given.introspects ?? [],
    // As precise as can be, unless the operator says that the client cannot tell sessions apart.
    backchannelLogoutSessionRequired:
      given.backchannelLogoutSessionRequired ?? (given.backchannelLogoutUri === undefined ? undefined : true),
    idTokenAlgorithm: given.idTokenAlgorithm ?? "RS256",
    requirePkce: given.requirePkce ?? true,
    requirePushedAuthorizationRequests: given.requirePushedAuthorizationRequests ?? false,
    dpopBoundAccessTokens: given.dpopBoundAccessTokens ?? false,
  };
}

function defaultGrantTypes(client: Pick<ClientMetadata, "authMethod" | "redirectUris">): ClientMetadata["grantTypes"] {
  const isService = client.authMethod !== "none" && client.redirectUris.length === 0;
  return isService ? ["client_credentials"] : ["authorization_code", "refresh_token"];
}

function defaultScopes(grantTypes: ClientMetadata["grantTypes"]): ClientMetadata["scopes"] {
  if (!grantTypes.includes("authorization_code")) return [];
  return IDENTITY_SCOPES.filter((scope) => scope !== "offline_access" || grantTypes.includes("refresh_token"));
}
