import { z } from "zod";
import type { Invocation } from "./command.ts";
import { type Answer, failed } from "./execute.ts";
import { type LineBatch, readLineBatches } from "./import-lines.ts";
import { printAnswer } from "./print-answer.ts";
import type { Format, ImportOrder } from "./request.ts";
import type { Terminal } from "./terminal.ts";

const report = z.object({
  imported: z.number(),
  present: z.array(z.number()),
  refused: z.array(z.object({ line: z.number(), problem: z.string() })),
});

export interface ImportRun {
  readonly order: ImportOrder;
  readonly format: Format;
  readonly terminal: Terminal;
  /** On the server that runs, or on a store that was opened. */
  readonly execute: (invocation: Invocation) => Promise<Answer>;
}

interface Totals {
  imported: number;
  present: number;
  refused: number;
}

/**
 * Imports a file batch by batch and reports line by line, so that neither its size nor that of the report matters. In
 * JSON every line of the report is an object of its own.
 *
 * @returns the exit code: 1 when a line was refused, or when it could not be carried to its end.
 */
export async function runImport(run: ImportRun): Promise<0 | 1> {
  const { order, format, terminal } = run;
  const totals: Totals = { imported: 0, present: 0, refused: 0 };
  try {
    for await (const batch of readLineBatches(terminal.streamFile(order.file))) {
      const failure = await importBatch(run, batch, totals);
      if (failure === undefined) continue;
      printAnswer(terminal, failure, format);
      terminal.writeError(`${describeStop(totals)}\n`);
      return 1;
    }
  } catch (error) {
    if (!isFileError(error)) throw error;
    printAnswer(terminal, failed("FILE_UNREADABLE", `${order.file} cannot be read.`), format);
    return 1;
  }
  terminal.writeOut(
    `${format === "json" ? JSON.stringify({ ...totals, mode: order.mode }) : describe(totals, order)}\n`,
  );
  return totals.refused === 0 ? 0 : 1;
}

/** The answer, if it is that the batch could not be carried out. */
async function importBatch(run: ImportRun, batch: LineBatch, totals: Totals): Promise<Answer | undefined> {
  const { mode, firebase } = run.order;
  const input = { lines: batch.lines, mode, ...(firebase === undefined ? {} : { firebase }) };
  const answer = await run.execute({ command: "user import", input });
  if (answer.outcome === "failed") return answer;
  const { imported, present, refused } = report.parse(answer.data);
  totals.imported += imported;
  totals.present += present.length;
  totals.refused += refused.length + batch.unreadable.length;
  const told = [
    ...present.map((line) => ({ line, outcome: "present", problem: PRESENT })),
    ...[...refused, ...batch.unreadable].map(({ line, problem }) => ({ line, outcome: "refused", problem })),
  ].toSorted((left, right) => left.line - right.line);
  for (const each of told) {
    run.terminal.writeOut(run.format === "json" ? `${JSON.stringify(each)}\n` : `line ${each.line}: ${each.problem}\n`);
  }
  return undefined;
}

const PRESENT = "there is an account with this address; it was left as it is";

function describe({ imported, present, refused }: Totals, { mode }: ImportOrder): string {
  const verb = mode === "dryRun" ? "Would import" : "Imported";
  return `${verb}: ${imported}. Here already: ${present}. Refused: ${refused}.`;
}

function describeStop({ imported }: Totals): string {
  return `${imported} were imported before that. Run the same command again: who is here already is left as they are.`;
}

function isFileError(error: unknown): boolean {
  return error instanceof Error && "code" in error && typeof error.code === "string" && "syscall" in error;
}
