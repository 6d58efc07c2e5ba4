/**
 * What operators type: commands, the command line that reads them, and the way to a running server.
 *
 * A command line becomes an `Invocation` that holds everything it needs of files and of standard input. It is
 * executed on `Services`: those of a store that was opened for it, or those of the running server, reached
 * through a Unix socket in the data directory. Either way the answer is the same.
 *
 * Invariants: a password is never an argument; nothing that a command was given is logged; the socket is open to its
 * owner only; settings are parsed by `clients` and `accounts` alone, so that the admin API will refuse the same things.
 */
export type { Invocation } from "./command.ts";
export { parseCommandLine } from "./command-line.ts";
export { answerConfigCheck } from "./config-check.ts";
export { askServer } from "./control-client.ts";
export { startControlServer } from "./control-server.ts";
export { answerMoved, answerRestored } from "./data-answers.ts";
export { couldNotCheck } from "./doctor-command.ts";
export { DeclarationFileError, readDeclarationFile } from "./declaration-file.ts";
export { type Answer, executeCommand, failed, leavesUntouched } from "./execute.ts";
export { runImport } from "./import-run.ts";
export { followEvents } from "./follow-events.ts";
export { printAnswer } from "./print-answer.ts";
export type { FollowOrder, MoveOrder, Request, RestoreOrder } from "./request.ts";
export { createTerminal, type Terminal } from "./terminal.ts";
