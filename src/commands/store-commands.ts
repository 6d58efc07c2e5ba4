import { z } from "zod";
import type { AppliedChange } from "../clients/index.ts";
import { type Command, defineCommand } from "./command.ts";
import { showValue } from "./text-layout.ts";

const SIGNS = { create: "+", change: "~", remove: "-" } as const satisfies Record<AppliedChange["action"], string>;
const KINDS = { client: "client", resource_server: "resource server" } as const;

const apply = defineCommand({
  name: "apply",
  input: z.strictObject({
    document: z.unknown(),
    secretFiles: z.record(z.string(), z.string()),
    mode: z.enum(["apply", "dryRun"]),
  }),
  async run({ clients }, { document, secretFiles, mode }) {
    const changes = await clients.applyDocument(document, { secretFiles: new Map(Object.entries(secretFiles)), mode });
    return { mode, changes };
  },
  describe({ mode, changes }) {
    if (changes.length === 0) return "There is nothing to change.";
    const count = changes.length === 1 ? "1 change" : `${changes.length} changes`;
    const closing = mode === "apply" ? `${count} applied.` : `${count} to apply; nothing was changed (--dry-run).`;
    return `${changes.map(describeChange).join("\n")}\n\n${closing}\n${describeSecrets(changes)}`;
  },
});

function describeChange({ action, kind, name, differences }: AppliedChange): string {
  const lines = differences.map(({ key, from, to }) => `\n    ${key}: ${showValue(from)} -> ${showValue(to)}`);
  return `${SIGNS[action]} ${KINDS[kind]} ${name}${lines.join("")}`;
}

function describeSecrets(changes: readonly AppliedChange[]): string {
  const lines = changes.flatMap(({ name, secret }) => (secret === undefined ? [] : [`  ${name}  ${secret}`]));
  return lines.length === 0 ? "" : `\nNew secrets, which are shown only now:\n${lines.join("\n")}\n`;
}

const migrate = defineCommand({
  name: "migrate",
  schema: "any",
  input: z.strictObject({}),
  run: async ({ migrations }) => ({ applied: await migrations.apply() }),
  describe: ({ applied }) =>
    applied.length === 0 ? "The database is up to date." : `Applied:\n${applied.map((name) => `  ${name}`).join("\n")}`,
});

export const storeCommands: readonly Command[] = [apply, migrate];
