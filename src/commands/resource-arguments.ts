import { collectValue, type CommandLine, JSON_OPTION, parseWholeNumber } from "./options.ts";

interface AddOptions {
  readonly name: string;
  readonly scope?: readonly string[];
  readonly format?: string;
  readonly algorithm?: string;
  readonly seconds?: number;
  readonly json?: true;
}

const ADD_EXAMPLE = `
Example:
  latchkey resource add https://api.example.com --name Orders \\
    --scope "orders:read=See your orders" --scope "orders:write=Place orders for you"

A client may ask for these scopes once it names the resource server (client add --resource).
`;

export function addResourceArguments({ program, chooseCommand }: CommandLine): void {
  const group = program.command("resource").description("APIs that accept access tokens (resource servers)");

  group
    .command("add")
    .argument("<identifier>", "the API's URI; its tokens have it as audience")
    .description("register an API")
    .requiredOption("--name <name>", "what people read on the consent page")
    .option("--scope <name=description>", "a scope and what it allows, in words for people (repeatable)", collectValue)
    .option("--format <format>", "jwt (RFC 9068, checked by the API itself) or opaque (introspection); jwt")
    .option("--algorithm <alg>", "how its JWTs are signed: ES256, EdDSA, RS256 or PS256; ES256")
    .option("--seconds <seconds>", "how long a token lives; 300", parseWholeNumber)
    .option(...JSON_OPTION)
    .addHelpText("after", ADD_EXAMPLE)
    .action((identifier: string, options: AddOptions) =>
      chooseCommand({ command: "resource add", input: toSettings(identifier, options) }, options),
    );

  group
    .command("list")
    .description("list the APIs")
    .option(...JSON_OPTION)
    .action((options: { readonly json?: true }) => chooseCommand({ command: "resource list", input: {} }, options));

  group
    .command("remove")
    .argument("<identifier>", "the API's URI")
    .description("forget an API; refused while clients name it")
    .option(...JSON_OPTION)
    .action((identifier: string, options: { readonly json?: true }) =>
      chooseCommand({ command: "resource remove", input: { identifier } }, options),
    );
}

/** Absent options stay absent, so that `clients` fills in its defaults and there is one place that knows them. */
function toSettings(identifier: string, options: AddOptions): object {
  const scopes = options.scope?.map((text) => {
    const at = text.indexOf("=");
    return at < 0 ? { name: text } : { name: text.slice(0, at), description: text.slice(at + 1) };
  });
  return {
    identifier,
    name: options.name,
    scopes,
    accessTokenFormat: options.format,
    accessTokenAlgorithm: options.algorithm,
    accessTokenSeconds: options.seconds,
  };
}
