import { type ExportedCheckpoint, exportedSchema } from "../audit/index.ts";
import { AUDIT_VERIFY } from "./audit-integrity-commands.ts";
import { auditGroup } from "./audit-group.ts";
import { type CommandLine, JSON_OPTION } from "./options.ts";
import { UsageError } from "./usage-error.ts";

interface JsonOption {
  readonly json?: true;
}

const VERIFY_NOTES = `
Ends with 0 where nothing is wrong, with 1 where something is, and with 2 where it could not be looked at.
Keep checkpoints where nobody who can change this database can change them:

  latchkey audit checkpoint > /elsewhere/checkpoint.json
  latchkey audit verify --checkpoint /elsewhere/checkpoint.json
`;

const REPLACE_KEY_NOTES = `
Is refused while a value of LATCHKEY_SECRET opens any key that has signed: if you still have the old one, put it behind
the new one (LATCHKEY_SECRET=new,old) instead. If it was not lost, somebody has written to audit_keys. Compare the log with a checkpoint that you kept elsewhere before you rely on it.
`;

export function addAuditIntegrityArguments({ program, terminal, chooseCommand }: CommandLine): void {
  const group = auditGroup(program);

  group
    .command("verify")
    .description("go through the chain of the audit log, and find the first break")
    .option("--checkpoint <file>", "what audit checkpoint wrote earlier: the chain must lead through it")
    .option(...JSON_OPTION)
    .addHelpText("after", VERIFY_NOTES)
    .action(async (options: JsonOption & { readonly checkpoint?: string }) => {
      const { checkpoint: path } = options;
      const checkpoint = path === undefined ? undefined : await readCheckpoint(path, (file) => terminal.readFile(file));
      chooseCommand({ command: AUDIT_VERIFY, input: { checkpoint } }, options);
    });

  group
    .command("checkpoint")
    .description("print the newest signed checkpoint, to be kept elsewhere")
    .option(...JSON_OPTION)
    .action((options: JsonOption) => chooseCommand({ command: "audit checkpoint", input: {} }, options));

  group
    .command("replace-key")
    .description("sign with another key, when LATCHKEY_SECRET was lost and with it the key that signed so far")
    .option(...JSON_OPTION)
    .addHelpText("after", REPLACE_KEY_NOTES)
    .action((options: JsonOption) => chooseCommand({ command: "audit replace-key", input: {} }, options));
}

async function readCheckpoint(path: string, readFile: (path: string) => Promise<string>): Promise<ExportedCheckpoint> {
  const text = await readFile(path).catch(() => {
    throw new UsageError(`${path} cannot be read.`);
  });
  try {
    return exportedSchema.parse(JSON.parse(text));
  } catch {
    throw new UsageError(`${path} is no checkpoint of the audit log.`);
  }
}
