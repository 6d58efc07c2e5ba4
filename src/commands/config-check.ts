import type { ConfigReport } from "../config/index.ts";
import { type Answer, failed } from "./execute.ts";
import { layOutTable } from "./text-layout.ts";

/** What `config check` says: all settings in force, or everything that is wrong. */
export function answerConfigCheck({ faults, warnings, settings }: ConfigReport): Answer {
  if (faults.length > 0) {
    const sentence =
      faults.length === 1 ? "The configuration has a fault:" : `The configuration has ${faults.length} faults:`;
    const worded = faults.map(({ key, problem, example }) => ({ key, problem: `${problem}; for example: ${example}` }));
    return { ...failed("CONFIG_INVALID", sentence), faults: worded };
  }
  const rows = settings.map(({ key, value, origin }) => [key, value ?? "(not set)", origin]);
  const told = warnings.map((warning) => `\nWarning: ${warning}\n`).join("");
  const text = `The configuration is complete.\n${told}\n${layOutTable(["SETTING", "VALUE", "FROM"], rows)}`;
  return { outcome: "done", data: { complete: true, warnings, settings }, text };
}
