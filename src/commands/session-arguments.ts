import { type CommandLine, JSON_OPTION } from "./options.ts";
import type { Terminal } from "./terminal.ts";
import { UsageError } from "./usage-error.ts";

interface JsonOption {
  readonly json?: true;
}

interface RevokeOptions extends JsonOption {
  readonly account?: string;
  readonly client?: string;
  /** `true` where no token follows. */
  readonly token?: string | true;
  readonly all?: true;
}

const REVOKE_EXAMPLES = `
Tokens are refused everywhere within a second, and at once by services that follow the feed.

  latchkey revoke --account alice@example.com     the person's sessions, grants and tokens
  latchkey revoke --client billingApi             what was granted to an app so far, and its tokens
  latchkey revoke --token < token.txt             one access or refresh token, kept out of the shell's history
  latchkey revoke --all                           everybody's sessions, grants and tokens
`;

export function addSessionArguments(commandLine: CommandLine): void {
  const group = commandLine.program.command("session").description("where people are signed in (sessions)");
  addListArguments(commandLine, group);
  addEndArguments(commandLine, group);
  addRevokeArguments(commandLine);
}

type Group = CommandLine["program"];

function addListArguments({ chooseCommand }: CommandLine, group: Group): void {
  group
    .command("list")
    .argument("<account>", "an account's id or email address")
    .description("list where a person is signed in")
    .option(...JSON_OPTION)
    .action((idOrEmail: string, options: JsonOption) =>
      chooseCommand({ command: "session list", input: { idOrEmail } }, options),
    );
}

function addEndArguments({ chooseCommand }: CommandLine, group: Group): void {
  group
    .command("end")
    .argument("<account>", "an account's id or email address")
    .argument("[session]", "the session's id, as session list shows it")
    .description("end a person's session, with every token that hangs on it")
    .option("--all", "all of the person's sessions")
    .option(...JSON_OPTION)
    .action((idOrEmail: string, sessionId: string | undefined, options: JsonOption & { readonly all?: true }) => {
      if ((sessionId === undefined) === (options.all !== true)) {
        throw new UsageError("Name one session, or say --all.");
      }
      chooseCommand({ command: "session end", input: { idOrEmail, sessionId } }, options);
    });
}

function addRevokeArguments({ program, terminal, chooseCommand }: CommandLine): void {
  program
    .command("revoke")
    .description("take access away from a person, an app, a token or everybody")
    .option("--account <account>", "everything of a person, by id or email address")
    .option("--client <id>", "everything that was granted to an app")
    .option("--token [token]", "one token; it is read from standard input when it is left out, as it should be")
    .option("--all", "everything of everybody")
    .option(...JSON_OPTION)
    .addHelpText("after", REVOKE_EXAMPLES)
    .action(async (options: RevokeOptions) => {
      const named = [options.account, options.client, options.token, options.all].filter((one) => one !== undefined);
      if (named.length !== 1) throw new UsageError("Say one of --account, --client, --token and --all.");
      chooseCommand({ command: "revoke", input: await readTarget(options, terminal) }, options);
    });
}

async function readTarget(options: RevokeOptions, terminal: Terminal): Promise<object> {
  if (options.account !== undefined) return { of: "account", idOrEmail: options.account };
  if (options.client !== undefined) return { of: "client", id: options.client };
  if (options.all === true) return { of: "everybody" };
  const token = options.token === true ? await readToken(terminal) : (options.token ?? "");
  return { of: "token", token: token.trim() };
}

async function readToken(terminal: Terminal): Promise<string> {
  return terminal.isInteractive ? terminal.askSecret("Token: ") : terminal.readInput();
}
