import type { Format } from "./request.ts";
import type { Answer, Failure } from "./execute.ts";
import { showableJson } from "./showable.ts";
import type { Terminal } from "./terminal.ts";

/**
 * Prints an answer and returns the exit code: 1 when the command was not carried out; otherwise 0, unless the command
 * has judged what it found.
 */
export function printAnswer(terminal: Terminal, answer: Answer, format: Format): 0 | 1 | 2 {
  if (answer.outcome === "done") {
    const json = (): string => showableJson(JSON.stringify(answer.data ?? null, undefined, 2));
    const text = format === "json" ? json() : answer.text.trimEnd();
    terminal.writeOut(`${text}\n`);
    return answer.exitCode ?? 0;
  }
  if (format === "json") {
    const { code, sentence, faults } = answer;
    terminal.writeOut(`${JSON.stringify({ error: { code, message: sentence, faults } }, undefined, 2)}\n`);
  } else {
    terminal.writeError(`${describeFailure(answer)}\n`);
  }
  return 1;
}

function describeFailure({ sentence, faults }: Failure): string {
  return [sentence, ...faults.map(({ key, problem }) => `  ${key} ${problem}.`)].join("\n");
}
