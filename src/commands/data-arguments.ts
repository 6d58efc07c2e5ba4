import { resolve } from "node:path";
import { type CommandLine, formatOf, JSON_OPTION } from "./options.ts";
import { UsageError } from "./usage-error.ts";

interface JsonOption {
  readonly json?: true;
}

const BACKUP_NOTES = `
Works while the server runs, which others wait for meanwhile. The file holds the secret of the data
directory: keep it as safe as the server itself. docs/operations/backup.md has the whole story.

  latchkey backup /backups/latchkey-today
  DATA_DIR=/elsewhere latchkey restore /backups/latchkey-today
`;

const RESTORE_NOTES = `
The data directory (DATA_DIR) must be empty or absent. What was revoked after the backup is not
in it; so everybody is signed out, and every token from before is refused. --keep-sessions is for
a backup of a server that was stopped before it, and has not run since.
`;

const MOVE_NOTES = `
The server must be stopped, and the Postgres must hold nothing of Latchkey's. All is copied in one
transaction. A URL with a password in it does not belong on a command line, where others see it:

  latchkey move --to-file /run/secrets/database_url
  PGPASSWORD=… latchkey move --to postgres://latchkey@db.internal:5432/latchkey
`;

export function addDataArguments({ program, terminal, choose, chooseCommand }: CommandLine): void {
  program
    .command("backup")
    .argument("<file>", "where to write it; on the machine, and as the user, of the server if one runs")
    .description("back up embedded data, also while the server runs")
    .option("--force", "overwrite a file that is there")
    .option(...JSON_OPTION)
    .addHelpText("after", BACKUP_NOTES)
    .action((file: string, options: JsonOption & { readonly force?: true }) => {
      // The server stands in another folder.
      const input = { path: resolve(file), overwrite: options.force === true };
      chooseCommand({ command: "backup", input }, options);
    });

  program
    .command("restore")
    .argument("<file>", "what backup wrote")
    .description("restore a backup into an empty data directory")
    .option("--keep-sessions", "let sessions and tokens of then go on")
    .option(...JSON_OPTION)
    .addHelpText("after", RESTORE_NOTES)
    .action((file: string, options: JsonOption & { readonly keepSessions?: true }) => {
      const order = { file: resolve(file), keepSessions: options.keepSessions === true };
      choose({ kind: "restore", order, format: formatOf(options) });
    });

  program
    .command("move")
    .description("move embedded data to a Postgres")
    .option("--to <url>", "where to, as in DATABASE_URL")
    .option("--to-file <file>", "a file that holds the URL, as in DATABASE_URL_FILE")
    .option(...JSON_OPTION)
    .addHelpText("after", MOVE_NOTES)
    .action(async (options: JsonOption & { readonly to?: string; readonly toFile?: string }) => {
      const { to, toFile } = options;
      if ((to === undefined) === (toFile === undefined)) throw new UsageError("Say either --to or --to-file.");
      const url = to ?? (await readUrl(toFile ?? "", (path) => terminal.readFile(path)));
      if (!isPostgresUrl(url))
        throw new UsageError("That is no URL of a Postgres, such as postgres://user@host:5432/name.");
      choose({ kind: "move", order: { url }, format: formatOf(options) });
    });
}

async function readUrl(path: string, readFile: (path: string) => Promise<string>): Promise<string> {
  const text = await readFile(path).catch(() => {
    throw new UsageError(`${path} cannot be read.`);
  });
  return text.trim();
}

function isPostgresUrl(url: string): boolean {
  return URL.canParse(url) && ["postgres:", "postgresql:"].includes(new URL(url).protocol);
}
