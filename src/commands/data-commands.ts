import { z } from "zod";
import { AppError } from "../core/index.ts";
import { type Command, defineCommand } from "./command.ts";
import { describeRows } from "./data-answers.ts";

const backup = defineCommand({
  name: "backup",
  // Also where it is of an older version.
  schema: "untouched",
  input: z.strictObject({ path: z.string(), overwrite: z.boolean() }),
  async run({ backUp }, target) {
    if (backUp === undefined) throw new AppError("DATA_NOT_EMBEDDED", { detail: "pg_dump backs up a Postgres" });
    return backUp(target);
  },
  describe: ({ file, rows, needsLatchkeySecret }) =>
    [
      `Backed up to ${file}:\n\n${describeRows(rows)}\n`,
      "The file holds the secret of the data directory, and so opens the signing keys and the authenticator apps in it. Keep",
      "it as safe as the server itself.",
      ...(needsLatchkeySecret
        ? ["LATCHKEY_SECRET is not in it, and is needed beside it: keep that too, elsewhere."]
        : []),
    ].join("\n"),
});

export const dataCommands: readonly Command[] = [backup];
