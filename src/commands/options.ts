import { type Command as Program, InvalidArgumentError } from "commander";
import type { Invocation } from "./command.ts";
import type { Format, Request } from "./request.ts";
import type { Terminal } from "./terminal.ts";

/** Where each group of commands puts its arguments, and tells what was chosen. */
export interface CommandLine {
  readonly program: Program;
  readonly terminal: Terminal;
  readonly choose: (request: Request) => void;
  readonly chooseCommand: (invocation: Invocation, options: { readonly json?: true }) => void;
}

export function formatOf(options: { readonly json?: true }): Format {
  return options.json === true ? "json" : "text";
}

/** A repeatable option's values, in the order in which they were given. */
export function collectValue(value: string, before: readonly string[] | undefined): readonly string[] {
  return [...(before ?? []), value];
}

export function parseWholeNumber(value: string): number {
  if (!/^\d{1,9}$/.test(value)) throw new InvalidArgumentError("It is not a whole number.");
  return Number(value);
}

/** `left=right` at its last equals sign; `right` is undefined where there is none. */
export function splitAtEquals(value: string): readonly [string, string | undefined] {
  const at = value.lastIndexOf("=");
  return at < 0 ? [value, undefined] : [value.slice(0, at), value.slice(at + 1)];
}

export const JSON_OPTION = ["--json", "answer in JSON, for programs"] as const;
