import { z } from "zod";
import { AppError } from "../core/index.ts";
import { InvalidSettingsError } from "../clients/index.ts";
import { asStoreFailure } from "../storage/index.ts";
import { catalogue } from "./catalogue.ts";
import type { Command, Invocation, Services } from "./command.ts";

/** How a command ended; plain JSON, so that a server can send it. */
export type Answer = z.infer<typeof answerSchema>;

export const answerSchema = z.union([
  z.strictObject({
    outcome: z.literal("done"),
    data: z.unknown(),
    text: z.string(),
    exitCode: z.union([z.literal(1), z.literal(2)]).optional(),
  }),
  z.strictObject({
    outcome: z.literal("failed"),
    code: z.string(),
    sentence: z.string(),
    faults: z.array(z.strictObject({ key: z.string(), problem: z.string() })),
  }),
]);

export type Failure = Extract<Answer, { readonly outcome: "failed" }>;

/**
 * Runs one command and answers in words whatever happens. What nobody expected is reported to `onBug` and answered
 * without details.
 */
export async function executeCommand(
  services: Services,
  invocation: Invocation,
  onBug: (error: unknown) => void,
): Promise<Answer> {
  const command = catalogue.find(({ name }) => name === invocation.command);
  if (command === undefined) return failed("COMMAND_UNKNOWN", "This version of Latchkey has no such command.");
  try {
    const pending = await listMissingMigrations(services, command);
    if (pending.length > 0) {
      const count = pending.length === 1 ? "1 migration" : `${pending.length} migrations`;
      return failed("MIGRATIONS_PENDING", `The database has yet to get ${count}. Run "latchkey migrate" first.`);
    }
    return { outcome: "done", ...(await command.run(services, invocation.input)) };
  } catch (error) {
    return wordFailure(asStoreFailure(error), onBug);
  }
}

/** Whether a command is about the stores as they are: they are opened so. */
export function leavesUntouched({ command }: Invocation): boolean {
  return catalogue.find(({ name }) => name === command)?.schema === "untouched";
}

async function listMissingMigrations(services: Services, command: Command): Promise<readonly string[]> {
  return command.schema === "current" ? services.migrations.listPending() : [];
}

function wordFailure(error: unknown, onBug: (error: unknown) => void): Failure {
  if (error instanceof InvalidSettingsError)
    return { ...failed(error.code, error.sentence), faults: [...error.faults] };
  if (error instanceof z.ZodError) return failed("INPUT_INVALID", "This version of Latchkey expects other arguments.");
  if (error instanceof AppError) {
    // The operator is who `detail` is written for.
    const detail = error.detail === undefined ? "" : ` (${error.detail})`;
    return failed(error.code, `${error.sentence}${detail}`);
  }
  onBug(error);
  return failed("SERVER_ERROR", "Something went wrong on our side.");
}

export function failed(code: string, sentence: string): Failure {
  return { outcome: "failed", code, sentence, faults: [] };
}
