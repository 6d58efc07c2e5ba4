import { DOCTOR } from "./doctor-command.ts";
import { InvalidArgumentError } from "commander";
import { type CommandLine, formatOf, JSON_OPTION, parseWholeNumber } from "./options.ts";
import { readDeclarationFile } from "./declaration-file.ts";

interface JsonOption {
  readonly json?: true;
}

const APPLY_EXAMPLES = `
The file lists resource servers and clients as they should be; config/latchkey.example.yaml
explains every key. What differs is printed and changed in one transaction; running it again
changes nothing. What the file does not name is left alone; an entry that says "remove: true"
is removed.

  latchkey apply clients.yaml --dry-run     show what would change
  latchkey apply clients.yaml               change it
`;

const DOCTOR_EXIT_CODES = `
Ends with 0 (all well, perhaps with warnings), 1 (something is wrong) or 2 (something could not be checked).
`;

export function addStoreArguments({ program, terminal, choose, chooseCommand }: CommandLine): void {
  program
    .command("serve")
    .description("start the server")
    .option("--apply <file>", "apply a declarative file first")
    .option(
      "--workers <number>",
      "processes that answer requests (1 to 64); more than one needs DATABASE_URL",
      parseWorkers,
    )
    .action(({ apply, workers = 1 }: { readonly apply?: string; readonly workers?: number }) =>
      choose({ kind: "serve", applyFile: apply, workers }),
    );

  program
    .command("apply")
    .argument("<file>", "a YAML file with resources: and clients:")
    .description("make clients and resource servers agree with a file")
    .option("--dry-run", "show what would change, and change nothing")
    .option(...JSON_OPTION)
    .addHelpText("after", APPLY_EXAMPLES)
    .action(async (file: string, options: JsonOption & { readonly dryRun?: true }) => {
      const mode = options.dryRun === true ? "dryRun" : "apply";
      const invocation = await readDeclarationFile(file, { readFile: (path) => terminal.readFile(path), mode });
      chooseCommand(invocation, options);
    });

  program
    .command("migrate")
    .description("bring the database to this version; safe to run on many nodes at once")
    .option(...JSON_OPTION)
    .action((options: JsonOption) => chooseCommand({ command: "migrate", input: {} }, options));

  program
    .command("plan")
    .description("say what migrate would do: its locks, and whether old and new servers may run side by side")
    .option(...JSON_OPTION)
    .action((options: JsonOption) => chooseCommand({ command: "plan", input: {} }, options));

  program
    .command("doctor")
    .description("look at the whole deployment, and say what is wrong and what to do")
    .option(...JSON_OPTION)
    .addHelpText("after", DOCTOR_EXIT_CODES)
    .action((options: JsonOption) => chooseCommand({ command: DOCTOR, input: {} }, options));

  program
    .command("config")
    .description("look at the configuration")
    .command("check")
    .description("check all settings without starting, and show what is in force")
    .option(...JSON_OPTION)
    .action((options: JsonOption) => choose({ kind: "check-config", format: formatOf(options) }));
}

const WORKERS_MAX = 64;

function parseWorkers(value: string): number {
  const count = parseWholeNumber(value);
  if (count < 1 || count > WORKERS_MAX) throw new InvalidArgumentError(`It is not between 1 and ${WORKERS_MAX}.`);
  return count;
}
