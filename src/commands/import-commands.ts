import { z } from "zod";
import { type Command, defineCommand } from "./command.ts";
import { firebaseConfig } from "./firebase-config.ts";

/** One batch of the lines of a file; `import-run.ts` sends one after the other. */
const importUsers = defineCommand({
  name: "user import",
  input: z.strictObject({
    lines: z.array(z.strictObject({ line: z.number(), text: z.string() })),
    mode: z.enum(["import", "dryRun"]),
    firebase: firebaseConfig.optional(),
  }),
  async run({ accounts }, { firebase, ...batch }) {
    if (firebase === undefined) return accounts.importPeople(batch);
    const { rounds, memoryCost } = firebase;
    const signerKey = Buffer.from(firebase.signerKey, "base64");
    const saltSeparator = Buffer.from(firebase.saltSeparator, "base64");
    return accounts.importPeople({ ...batch, firebase: { signerKey, saltSeparator, rounds, memoryCost } });
  },
  describe: ({ imported, present, refused }) =>
    `Imported: ${imported}. Here already: ${present.length}. Refused: ${refused.length}.`,
});

export const importCommands: readonly Command[] = [importUsers];
