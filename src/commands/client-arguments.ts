import { AUTH_METHODS, GRANT_TYPES, IDENTITY_SCOPES, SIGNATURE_ALGORITHMS } from "../clients/index.ts";
import { FACTOR_POLICIES } from "../config/index.ts";
import { collectValue, type CommandLine, JSON_OPTION, parseWholeNumber, splitAtEquals } from "./options.ts";
import type { Terminal } from "./terminal.ts";
import { UsageError } from "./usage-error.ts";

interface AddOptions {
  readonly name: string;
  readonly redirectUri?: readonly string[];
  readonly postLogoutRedirectUri?: readonly string[];
  readonly allowedOrigin?: readonly string[];
  readonly authMethod?: string;
  readonly grantType?: readonly string[];
  readonly scope?: readonly string[];
  readonly resource?: readonly string[];
  readonly defaultResource?: string;
  readonly introspects?: readonly string[];
  readonly firstParty?: true;
  readonly backchannelLogoutUri?: string;
  readonly logoutBySession: boolean;
  readonly homeUri?: string;
  readonly initiateLoginUri?: string;
  readonly logoUri?: string;
  readonly policyUri?: string;
  readonly termsUri?: string;
  readonly jwks?: string;
  readonly jwksUri?: string;
  readonly idTokenAlgorithm?: string;
  readonly pkce: boolean;
  readonly requirePar?: true;
  readonly dpop?: true;
  readonly refreshIdleSeconds?: number;
  readonly refreshMaxSeconds?: number;
  readonly mfa?: string;
  readonly json?: true;
}

interface RotateOptions {
  readonly keepOldFor?: number;
  readonly revoke?: true;
  readonly json?: true;
}

const ADD_EXAMPLES = `
A single-page or native app is a public client; it needs an id, a name and a redirect URI:
  latchkey client add shopWeb --name Shop --redirect-uri https://shop.example.com/callback

A service that calls an API in its own name is a confidential client; its secret is shown once:
  latchkey client add billingApi --name Billing --auth-method client_secret_basic \\
    --resource https://api.example.com=invoices:read,invoices:write
`;

export function addClientArguments(commandLine: CommandLine): void {
  const group = commandLine.program.command("client").description("applications that may ask for tokens (clients)");
  addAddArguments(commandLine, group);
  addOtherArguments(commandLine, group);
}

type Group = CommandLine["program"];

function addAddArguments({ terminal, chooseCommand }: CommandLine, group: Group): void {
  group
    .command("add")
    .argument("<id>", "1 to 64 letters, digits, dots, underscores and hyphens")
    .description("register an application")
    .requiredOption("--name <name>", "what people read on the pages")
    .option("--redirect-uri <uri>", "where people come back to, exactly as it will be sent (repeatable)", collectValue)
    .option("--post-logout-redirect-uri <uri>", "where people may go after signing out (repeatable)", collectValue)
    .option(
      "--allowed-origin <origin>",
      "whose pages may call us; those of the redirect URIs (repeatable)",
      collectValue,
    )
    .option("--auth-method <method>", `one of ${AUTH_METHODS.join(", ")}; none, a public client`)
    .option("--grant-type <type>", `of ${GRANT_TYPES.join(", ")} (repeatable)`, collectValue)
    .option("--scope <scope>", `of ${IDENTITY_SCOPES.join(", ")} (repeatable)`, collectValue)
    .option(
      "--resource <identifier[=scope,scope]>",
      "an API that it may call, and the scopes (repeatable)",
      collectValue,
    )
    .option("--default-resource <identifier>", "the API that is meant when a request names none")
    .option(
      "--introspects <identifier>",
      "an API that it is: whose tokens it may check, and of whose revocations it hears (repeatable)",
      collectValue,
    )
    .option("--first-party", "our own app: people are not asked for their consent")
    .option("--backchannel-logout-uri <uri>", "where its server is told that a session has ended")
    .option("--no-logout-by-session", "it cannot tell sessions apart: tell it of the person, not of the session")
    .option("--home-uri <uri>", "its home page, where the pages' way back leads")
    .option("--initiate-login-uri <uri>", "where a sign-in can be begun anew")
    .option("--logo-uri <uri>", "its logo, shown on the consent page")
    .option("--policy-uri <uri>", "its privacy policy")
    .option("--terms-uri <uri>", "its terms of service")
    .option("--jwks <file>", "its public keys as a JSON Web Key Set, for private_key_jwt")
    .option("--jwks-uri <uri>", "where its public keys are, for private_key_jwt")
    .option("--id-token-algorithm <alg>", `one of ${SIGNATURE_ALGORITHMS.join(", ")}; RS256`)
    .option("--no-pkce", "exempt a confidential client that cannot do PKCE")
    .option("--require-par", "accept pushed authorization requests only (RFC 9126)")
    .option("--dpop", "bind its access tokens to its key (RFC 9449)")
    .option("--refresh-idle-seconds <seconds>", "end its refresh tokens when unused for so long", parseWholeNumber)
    .option("--refresh-max-seconds <seconds>", "end its refresh tokens after so long in any case", parseWholeNumber)
    .option("--mfa <policy>", `second factors of its people: one of ${FACTOR_POLICIES.join(", ")}; as the deployment`)
    .option(...JSON_OPTION)
    .addHelpText("after", ADD_EXAMPLES)
    .action(async (id: string, options: AddOptions) => {
      const input = { id, ...toSettings(options), jwks: await readKeySet(terminal, options.jwks) };
      chooseCommand({ command: "client add", input }, options);
    });
}

function addOtherArguments({ chooseCommand }: CommandLine, group: Group): void {
  group
    .command("list")
    .description("list the applications")
    .option(...JSON_OPTION)
    .action((options: { readonly json?: true }) => chooseCommand({ command: "client list", input: {} }, options));

  group
    .command("rotate-secret")
    .argument("<id>", "the application's id")
    .description("make a new secret and show it once")
    .option("--keep-old-for <seconds>", "let the old secret work for so long, up to 90 days", parseWholeNumber)
    .option("--revoke", "the old secret got out: also revoke all that was granted with it, and every token")
    .option(...JSON_OPTION)
    .action((id: string, options: RotateOptions) => {
      if (options.revoke === true && options.keepOldFor !== undefined) {
        throw new UsageError("An old secret that is revoked is not kept.");
      }
      const rotation = options.revoke === true ? { revoke: true } : { keepOldForSeconds: options.keepOldFor ?? 0 };
      chooseCommand({ command: "client rotate-secret", input: { id, ...rotation } }, options);
    });

  for (const [name, description] of [
    ["show", "show an application's settings"],
    ["remove", "remove an application: nobody can sign in through it any more"],
  ] as const) {
    group
      .command(name)
      .argument("<id>", "the application's id")
      .description(description)
      .option(...JSON_OPTION)
      .action((id: string, options: { readonly json?: true }) =>
        chooseCommand({ command: `client ${name}`, input: { id } }, options),
      );
  }
}

/** Absent options stay absent, so that `clients` fills in its defaults and there is one place that knows them. */
function toSettings(options: AddOptions): object {
  return {
    name: options.name,
    redirectUris: options.redirectUri,
    postLogoutRedirectUris: options.postLogoutRedirectUri,
    allowedOrigins: options.allowedOrigin,
    authMethod: options.authMethod,
    grantTypes: options.grantType,
    scopes: options.scope,
    resources: options.resource?.map((text) => {
      const [identifier, scopes] = splitAtEquals(text);
      return { identifier, scopes: scopes?.split(",") };
    }),
    defaultResource: options.defaultResource,
    introspects: options.introspects,
    isFirstParty: options.firstParty,
    backchannelLogoutUri: options.backchannelLogoutUri,
    backchannelLogoutSessionRequired: options.logoutBySession ? undefined : false,
    homeUri: options.homeUri,
    initiateLoginUri: options.initiateLoginUri,
    logoUri: options.logoUri,
    policyUri: options.policyUri,
    termsUri: options.termsUri,
    jwksUri: options.jwksUri,
    idTokenAlgorithm: options.idTokenAlgorithm,
    requirePkce: options.pkce,
    requirePushedAuthorizationRequests: options.requirePar,
    dpopBoundAccessTokens: options.dpop,
    refreshIdleSeconds: options.refreshIdleSeconds,
    refreshMaxSeconds: options.refreshMaxSeconds,
    mfa: options.mfa,
  };
}

async function readKeySet(terminal: Terminal, file: string | undefined): Promise<unknown> {
  if (file === undefined) return undefined;
  try {
    return JSON.parse(await terminal.readFile(file));
  } catch {
    throw new UsageError(`${file} cannot be read as JSON.`);
  }
}
