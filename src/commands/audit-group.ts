import type { Command as Program } from "commander";

/** `audit`, to which several files add commands. */
export function auditGroup(program: Program): Program {
  const there = program.commands.find((command) => command.name() === "audit");
  return there ?? program.command("audit").description("the record of what happened");
}
