import { auditIntegrityCommands } from "./audit-integrity-commands.ts";
import { clientCommands } from "./client-commands.ts";
import type { Command } from "./command.ts";
import { dataCommands } from "./data-commands.ts";
import { doctorCommand } from "./doctor-command.ts";
import { keyCommands } from "./key-commands.ts";
import { planCommand } from "./plan-command.ts";
import { resourceCommands } from "./resource-commands.ts";
import { sessionCommands } from "./session-commands.ts";
import { storeCommands } from "./store-commands.ts";
import { userCommands } from "./user-commands.ts";

/** Every command that works on the store. `serve`, `config check`, `restore` and `move` are the command line's own. */
export const catalogue: readonly Command[] = [
  ...clientCommands,
  ...resourceCommands,
  ...userCommands,
  ...sessionCommands,
  ...keyCommands,
  ...auditIntegrityCommands,
  ...storeCommands,
  ...dataCommands,
  planCommand,
  doctorCommand,
];
