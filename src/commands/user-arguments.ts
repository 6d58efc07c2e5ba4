import type { Command as Program } from "commander";
import { parseFirebaseConfig } from "./firebase-config.ts";
import { type CommandLine, formatOf, JSON_OPTION, parseWholeNumber } from "./options.ts";
import { readNewPassword } from "./password-input.ts";
import { UsageError } from "./usage-error.ts";

interface AddOptions {
  readonly name: string;
  readonly locale?: string;
  readonly passwordStdin?: true;
  readonly emailVerified?: true;
  readonly json?: true;
}

interface InviteOptions {
  readonly locale?: string;
  readonly json?: true;
}

interface ListOptions {
  readonly limit: number;
  readonly after?: string;
  readonly json?: true;
}

const PAGE_SIZE = 100;

const ADD_EXAMPLES = `
The password is asked for without showing it, or read from standard input; never from an argument,
where the shell's history and the list of processes would keep it.

Examples:
  latchkey user add alice@example.com --name "Alice Ames"
  pass show alice | latchkey user add alice@example.com --name "Alice Ames" --password-stdin
`;

export function addUserArguments(commandLine: CommandLine): void {
  const { program, terminal, chooseCommand } = commandLine;
  const group = program.command("user").description("people who can sign in (accounts)");

  group
    .command("add")
    .argument("<email>", "the address to sign in with")
    .description("create an account")
    .requiredOption("--name <name>", "the person's name")
    .option("--locale <tag>", "preferred language, such as en or de-CH")
    .option("--email-verified", "you know that the address is theirs: it need not be proved by a mail")
    .option("--password-stdin", "read the password from standard input")
    .option(...JSON_OPTION)
    .addHelpText("after", ADD_EXAMPLES)
    .action(async (email: string, options: AddOptions) => {
      const password = await readNewPassword(terminal, { fromStandardInput: options.passwordStdin === true });
      const { name, locale, emailVerified } = options;
      chooseCommand({ command: "user add", input: { email, name, password, locale, emailVerified } }, options);
    });

  addImportArguments(group, commandLine);

  group
    .command("invite")
    .argument("<email>", "the address that the invitation goes to")
    .description("let somebody create an account, by a link that works once, for a week")
    .option("--locale <tag>", "language of the mail, such as en or de-CH")
    .option(...JSON_OPTION)
    .action((email: string, { locale, ...options }: InviteOptions) =>
      chooseCommand({ command: "user invite", input: { email, locale } }, options),
    );

  group
    .command("list")
    .description("list accounts, a page at a time")
    .option("--limit <count>", "accounts on a page, 1 to 1000", parseWholeNumber, PAGE_SIZE)
    .option("--after <id>", "the last account of the page before")
    .option(...JSON_OPTION)
    .action(({ limit, after, ...options }: ListOptions) =>
      chooseCommand({ command: "user list", input: { limit, after } }, options),
    );

  for (const [name, description] of [
    ["disable", "shut a person out: sessions and tokens end at once"],
    ["enable", "let a disabled person sign in again"],
    ["unlock", "for a person who is shut out by failed attempts, their own or a stranger's: let them try again"],
    ["reset-factors", "for a person who has lost everything: remove all second factors and end all sessions"],
  ] as const) {
    group
      .command(name)
      .argument("<account>", "an account's id or email address")
      .description(description)
      .option(...JSON_OPTION)
      .action((idOrEmail: string, options: { readonly json?: true }) =>
        chooseCommand({ command: `user ${name}`, input: { idOrEmail } }, options),
      );
  }
}

interface ImportOptions {
  readonly dryRun?: true;
  readonly firebaseHashConfig?: string;
  readonly json?: true;
}

const IMPORT_NOTES = `
The file has a JSON object a line: email, and, if you have them, id, name, locale, emailVerified,
disabled, createdAt and passwordHash (bcrypt, argon2, PBKDF2, scrypt, Firebase's scrypt). People sign in
with the password that they have; the hash is made anew then. docs/migration.md says how to get such a
file out of other systems.

Lines that cannot be used are reported by their number, and the others are imported; then the exit
code is 1. Who has an account already is left as they are, so that it can be repeated.

  latchkey user import people.ndjson --dry-run
  unzip -p export.zip | latchkey user import -
`;

function addImportArguments(group: Program, { terminal, choose }: CommandLine): void {
  group
    .command("import")
    .argument("<file>", "people, a JSON object a line; - reads standard input")
    .description("bring people in from another system, with their passwords")
    .option("--dry-run", "say what would become of each line, and change nothing")
    .option("--firebase-hash-config <file>", "a file with the hash parameters that Firebase's console shows")
    .option(...JSON_OPTION)
    .addHelpText("after", IMPORT_NOTES)
    .action(async (file: string, options: ImportOptions) => {
      const path = options.firebaseHashConfig;
      const firebase =
        path === undefined ? undefined : await readFirebaseConfig(path, (name) => terminal.readFile(name));
      const order = { file, mode: options.dryRun === true ? "dryRun" : "import", firebase } as const;
      choose({ kind: "import", order, format: formatOf(options) });
    });
}

async function readFirebaseConfig(path: string, readFile: (path: string) => Promise<string>) {
  const text = await readFile(path).catch(() => {
    throw new UsageError(`${path} cannot be read.`);
  });
  const config = parseFirebaseConfig(text);
  if (config === undefined) {
    throw new UsageError(
      `${path} lacks one of base64_signer_key, base64_salt_separator, rounds (1 to 8) and mem_cost (1 to 14).`,
    );
  }
  return config;
}
