import { z } from "zod";
import { AUDIT_VERIFY } from "./audit-integrity-commands.ts";
import type { Finding } from "../doctor/index.ts";
import { type Command, defineCommand, type Invocation } from "./command.ts";

export const DOCTOR = "doctor";

/** Whether this is a command that says 2 to scripts where it was not carried out: 1 would be a finding. */
export function couldNotCheck({ command }: Invocation): boolean {
  return command === DOCTOR || command === AUDIT_VERIFY;
}

interface Report {
  readonly verdict: "well" | "wrong" | "unknown";
  readonly findings: readonly Finding[];
}

export const doctorCommand: Command = defineCommand({
  name: DOCTOR,
  schema: "untouched",
  input: z.strictObject({}),
  run: async ({ doctor }): Promise<Report> => {
    const findings = await doctor.examine();
    return { verdict: verdictOf(findings), findings };
  },
  describe: describeReport,
  judge: ({ verdict }) => ({ well: undefined, wrong: 1, unknown: 2 } as const)[verdict],
});

function verdictOf(findings: readonly Finding[]): Report["verdict"] {
  if (findings.some(({ status }) => status === "failure")) return "wrong";
  return findings.some(({ status }) => status === "unchecked") ? "unknown" : "well";
}

const SIGNS = { ok: "ok", warning: "WARNING", failure: "FAILURE", unchecked: "?" } as const satisfies Record<
  Finding["status"],
  string
>;
const VERDICTS = {
  well: "All is well",
  wrong: "Something is wrong",
  unknown: "Not everything could be checked",
} as const satisfies Record<Report["verdict"], string>;
const SIGN_LETTERS = 9;

function describeReport({ verdict, findings }: Report): string {
  const width = Math.max(...findings.map(({ check }) => check.length)) + 2;
  const lines = findings.flatMap(({ check, status, meaning, remedy }) => [
    `${SIGNS[status].padEnd(SIGN_LETTERS)}${check.padEnd(width)}${meaning}`,
    ...(remedy === undefined ? [] : [`${" ".repeat(SIGN_LETTERS + width)}-> ${remedy}`]),
  ]);
  const counts = (["failure", "warning", "unchecked"] as const).flatMap((status) => {
    const count = findings.filter((finding) => finding.status === status).length;
    return count === 0 ? [] : [`${count} ${count === 1 || status === "unchecked" ? status : `${status}s`}`];
  });
  return `${lines.join("\n")}\n\n${VERDICTS[verdict]}${counts.length === 0 ? "" : `: ${counts.join(", ")}`}.`;
}
