import { auditListCommands } from "./audit-list-command.ts";
import { auditIntegrityCommands } from "./audit-integrity-commands.ts";
import { clientCommands } from "./client-commands.ts";
import type { Command } from "./command.ts";
import { dataCommands } from "./data-commands.ts";
import { doctorCommand } from "./doctor-command.ts";
import { importCommands } from "./import-commands.ts";
import { keyCommands } from "./key-commands.ts";
import { planCommand } from "./plan-command.ts";
import { resourceCommands } from "./resource-commands.ts";
import { sessionCommands } from "./session-commands.ts";
import { storeCommands } from "./store-commands.ts";
import { userCommands } from "./user-commands.ts";
import { webhookCommands } from "./webhook-commands.ts";

/** Every command that works on the store. `serve`, `config check`, `restore` and `move` are the command line's own. */
export const catalogue: readonly Command[] = [
  ...clientCommands,
  ...resourceCommands,
  ...userCommands,
  ...importCommands,
  ...sessionCommands,
  ...keyCommands,
  ...auditListCommands,
  ...webhookCommands,
  ...auditIntegrityCommands,
  ...storeCommands,
  ...dataCommands,
  planCommand,
  doctorCommand,
];
