import type { Terminal } from "./terminal.ts";
import { UsageError } from "./usage-error.ts";

/**
 * A new password, from the terminal without echo (twice) or from standard input. Never from an argument: arguments
 * stand in the shell's history and in the list of processes.
 */
export async function readNewPassword(
  terminal: Terminal,
  options: { readonly fromStandardInput: boolean },
): Promise<string> {
  if (options.fromStandardInput || !terminal.isInteractive) {
    // The line end belongs to `echo`, every other space to the password.
    return (await terminal.readInput()).replace(/\r?\n$/, "");
  }
  const password = await terminal.askSecret("Password: ");
  const repeated = await terminal.askSecret("The same again: ");
  if (password !== repeated) throw new UsageError("The two passwords differ.");
  return password;
}
