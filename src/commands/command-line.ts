import { Command as Program, CommanderError } from "commander";
import { addAuditListArguments } from "./audit-list-arguments.ts";
import { addAuditIntegrityArguments } from "./audit-integrity-arguments.ts";
import { addClientArguments } from "./client-arguments.ts";
import { addDataArguments } from "./data-arguments.ts";
import { DeclarationFileError } from "./declaration-file.ts";
import { addKeyArguments } from "./key-arguments.ts";
import { addResourceArguments } from "./resource-arguments.ts";
import { addSessionArguments } from "./session-arguments.ts";
import { addStoreArguments } from "./store-arguments.ts";
import { type CommandLine, formatOf } from "./options.ts";
import type { Request } from "./request.ts";
import type { Terminal } from "./terminal.ts";
import { UsageError } from "./usage-error.ts";
import { addUserArguments } from "./user-arguments.ts";
import { addWebhookArguments } from "./webhook-arguments.ts";

const HELP_FOOTER = `
Without DATABASE_URL every command works on the data directory (DATA_DIR, ./data), whether the
server runs or not. With it, on that Postgres. Every command takes --json, and ends with
0 (done), 1 (failed) or 2 (wrong usage).

Begin with:
  latchkey serve                     then open the address that it prints
  latchkey client add --help         to let an app sign people in
  latchkey apply FILE                to keep clients in a file under version control
`;

/** Reads a command line, with what it needs of files and standard input. Never throws for what was typed. */
export async function parseCommandLine(argv: readonly string[], terminal: Terminal): Promise<Request> {
  let chosen: Request = { kind: "finished", exitCode: 2 };
  const commandLine: CommandLine = {
    program: createProgram(terminal),
    terminal,
    choose: (request) => {
      chosen = request;
    },
    chooseCommand: (invocation, options) => {
      chosen = { kind: "command", invocation, format: formatOf(options) };
    },
  };
  addStoreArguments(commandLine);
  addDataArguments(commandLine);
  addClientArguments(commandLine);
  addResourceArguments(commandLine);
  addUserArguments(commandLine);
  addSessionArguments(commandLine);
  addKeyArguments(commandLine);
  addAuditListArguments(commandLine);
  addWebhookArguments(commandLine);
  addAuditIntegrityArguments(commandLine);
  try {
    await commandLine.program.parseAsync([...argv], { from: "user" });
    return chosen;
  } catch (error) {
    return { kind: "finished", exitCode: explain(error, terminal) };
  }
}

function createProgram(terminal: Terminal): Program {
  return new Program("latchkey")
    .description("A self-hosted OpenID Connect and OAuth 2 authorization server.")
    .addHelpText("after", HELP_FOOTER)
    .exitOverride()
    .showSuggestionAfterError()
    .showHelpAfterError("(add --help for what it takes)")
    .configureOutput({
      writeOut: (text) => terminal.writeOut(text),
      writeErr: (text) => terminal.writeError(text),
    });
}

function explain(error: unknown, terminal: Terminal): 0 | 1 | 2 {
  // Commander has written what it had to say by now.
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  if (error instanceof UsageError) terminal.writeError(`${error.message}\n`);
  else if (error instanceof DeclarationFileError) terminal.writeError(`${error.message}\n`);
  else if (error instanceof Error && error.name === "AbortError") terminal.writeError("Nothing was done.\n");
  else throw error;
  return error instanceof UsageError ? 2 : 1;
}
