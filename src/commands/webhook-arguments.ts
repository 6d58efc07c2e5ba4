import { collectValue, type CommandLine, JSON_OPTION, parseWholeNumber } from "./options.ts";

interface JsonOption {
  readonly json?: true;
}

interface AddOptions extends JsonOption {
  readonly kind?: readonly string[];
}

const DAY_SECONDS = 24 * 60 * 60;

const ADD_EXAMPLES = `
The secret that signs is printed once. docs/audit.md shows how to verify a signature.

  latchkey webhook add siem https://siem.example.com/latchkey
  latchkey webhook add alarm https://hooks.example.com/x --kind refresh_token_reused --kind factors_reset
`;

export function addWebhookArguments(commandLine: CommandLine): void {
  const { program, chooseCommand } = commandLine;
  const group = program.command("webhook").description("endpoints that are told of events of the audit log");

  group
    .command("add")
    .argument("<id>", "1 to 64 letters, digits, dots, underscores and hyphens")
    .argument("<url>", "where events are posted to")
    .description("tell an endpoint of what happens from now on")
    .option(
      "--kind <type>",
      "an event that it wants, by its name in docs/audit-events.md (repeatable); all",
      collectValue,
    )
    .option(...JSON_OPTION)
    .addHelpText("after", ADD_EXAMPLES)
    .action((id: string, url: string, options: AddOptions) =>
      chooseCommand({ command: "webhook add", input: { id, url, kinds: options.kind } }, options),
    );

  group
    .command("list")
    .description("list the endpoints, and how they do")
    .option(...JSON_OPTION)
    .action((options: JsonOption) => chooseCommand({ command: "webhook list", input: {} }, options));

  group
    .command("rotate")
    .argument("<id>", "the webhook's id")
    .description("make a new secret and show it once")
    .option(
      "--keep-old-for <seconds>",
      "sign with the old one as well for so long, up to 90 days",
      parseWholeNumber,
      DAY_SECONDS,
    )
    .option(...JSON_OPTION)
    .action((id: string, options: JsonOption & { readonly keepOldFor: number }) =>
      chooseCommand({ command: "webhook rotate", input: { id, keepOldForSeconds: options.keepOldFor } }, options),
    );

  for (const [name, description] of [
    ["test", "send a message that tells of nothing, and say what came of it"],
    ["disable", "tell it nothing until it is enabled again"],
    ["enable", "go on where it ended, with what it was not told meanwhile"],
    ["remove", "forget it, with what it had not been told yet"],
  ] as const) {
    group
      .command(name)
      .argument("<id>", "the webhook's id")
      .description(description)
      .option(...JSON_OPTION)
      .action((id: string, options: JsonOption) =>
        chooseCommand({ command: `webhook ${name}`, input: { id } }, options),
      );
  }
}
