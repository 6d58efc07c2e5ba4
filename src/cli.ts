/**
 * The command line's entry: reads what was typed, then starts the server, asks the one that runs, or opens the store.
 *
 * What needs the stores is imported when it is needed, so that help and `config check` answer at once.
 */
import {
  type Answer,
  answerConfigCheck,
  askServer,
  couldNotCheck,
  createTerminal,
  executeCommand,
  failed,
  followEvents,
  type FollowOrder,
  type Invocation,
  leavesUntouched,
  parseCommandLine,
  printAnswer,
  type Request,
  runImport,
  type Terminal,
} from "./commands/index.ts";
import { type Config, ConfigError, inspectConfig, loadConfig, type Purpose } from "./config/index.ts";
import { isAppError } from "./core/index.ts";
import { createLogger } from "./observability/index.ts";
import { asStoreFailure, DataDirectoryLockedError, socketPathIn } from "./storage/index.ts";
import type { Services } from "./services.ts";
import { isWorker } from "./workers/index.ts";

type DataRequest = Extract<Request, { readonly kind: "restore" | "move" }>;

/** Carries out a command line. Resolves with the exit code: 0 done, 1 failed, 2 wrong usage. */
export async function main(argv: readonly string[]): Promise<number> {
  const terminal = createTerminal(process);
  const request = await parseCommandLine(argv, terminal);
  if (request.kind === "finished") return request.exitCode;
  if (request.kind === "check-config") return printAnswer(terminal, answerConfigCheck(inspectConfig()), request.format);
  const config = configFor(request.kind === "serve" ? "server" : "command", terminal);
  const isTwoForFailure = request.kind === "command" && couldNotCheck(request.invocation);
  if (config === undefined) return isTwoForFailure ? 2 : 1;
  if (request.kind === "serve") return serve(config, request);
  if (request.kind === "import") return importPeople(config, request, terminal);
  if (request.kind === "follow") return follow(config, request, terminal);
  const answer =
    request.kind === "command"
      ? await answerCommand(config, request.invocation, terminal)
      : await answerDataOrder(config, request, terminal);
  const exitCode = printAnswer(terminal, answer, request.format);
  return answer.outcome === "failed" && isTwoForFailure ? 2 : exitCode;
}

/** `undefined` when there are faults, which were told. */
function configFor(purpose: Purpose, terminal: Terminal): Config | undefined {
  try {
    return loadConfig(undefined, purpose);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    terminal.writeError(`${error.message}\n`);
    return undefined;
  }
}

/** Several processes need one that looks after them, which is this one unless it is one of them. */
async function serve(config: Config, options: { applyFile: string | undefined; workers: number }): Promise<number> {
  if (options.workers > 1 && !isWorker) {
    const { supervise } = await import("./supervise.ts");
    return supervise(config, options);
  }
  const { serve: start } = await import("./main.ts");
  return start(config, options);
}

/** Until a signal, or until nobody reads any more. Embedded data are asked of the server that has them. */
async function follow(config: Config, order: FollowOrder, terminal: Terminal): Promise<number> {
  const stop = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => stop.abort());
  process.stdout.once("error", () => stop.abort());
  const following = { terminal, signal: stop.signal };
  if (config.mode === "embedded") {
    return followEvents(order, { ...following, ask: (asked) => askServer(socketPathIn(config.dataDirectory), asked) });
  }
  const { openServices } = await import("./services.ts");
  let services: Awaited<ReturnType<typeof openServices>> | undefined;
  const ask = async (asked: Invocation): Promise<Answer> => {
    try {
      services ??= await openServices(config, { logger: createLogger({ level: "silent" }), stores: "forCommands" });
    } catch (error) {
      return wordOpeningFailure(asStoreFailure(error));
    }
    return executeCommand(services, asked, (error) => terminal.writeError(`${String(error)}\n`));
  };
  try {
    return await followEvents(order, { ...following, ask });
  } finally {
    await services?.close();
  }
}

/** What a server that runs on the data directory cannot do by itself. */
async function answerDataOrder(config: Config, request: DataRequest, terminal: Terminal): Promise<Answer> {
  const { move, restore } = await import("./embedded-data.ts");
  try {
    return await (request.kind === "move" ? move(config, request.order) : restore(config, request.order));
  } catch (error) {
    if (error instanceof DataDirectoryLockedError) return failed("SERVER_RUNNING", error.message);
    const failure = asStoreFailure(error);
    if (isAppError(failure)) return wordOpeningFailure(failure);
    // Without what hangs on it: a database's error carries the row that it refused.
    terminal.writeError(`${String(error)}\n`);
    return failed("SERVER_ERROR", "Something went wrong on our side.");
  }
}

/** A server that runs is asked for each part of the file; one that stops meanwhile is done without. */
async function importPeople(
  config: Config,
  { order, format }: Extract<Request, { readonly kind: "import" }>,
  terminal: Terminal,
): Promise<number> {
  let services: Services | undefined;
  const onBug = (error: unknown): void => terminal.writeError(`${String(error)}\n`);
  try {
    return await runImport({
      order,
      format,
      terminal,
      async execute(invocation) {
        const answer = services === undefined ? await askRunningServer(config, invocation) : undefined;
        if (answer !== undefined) return answer;
        try {
          services ??= await openForCommand(config, invocation);
        } catch (error) {
          return wordOpeningFailure(asStoreFailure(error));
        }
        return executeCommand(services, invocation, onBug);
      },
    });
  } finally {
    await services?.close();
  }
}

/** In embedded mode only one process may have the database open, so that a server that runs is asked first. */
async function askRunningServer(config: Config, invocation: Invocation): Promise<Answer | undefined> {
  return config.mode === "embedded" ? askServer(socketPathIn(config.dataDirectory), invocation) : undefined;
}

async function openForCommand(config: Config, invocation: Invocation): Promise<Services> {
  const { openServices } = await import("./services.ts");
  // Silent: what a command has to say is its answer, which programs may read.
  const logger = createLogger({ level: "silent" });
  return openServices(config, { logger, stores: leavesUntouched(invocation) ? "untouched" : "forCommands" });
}

async function answerCommand(config: Config, invocation: Invocation, terminal: Terminal): Promise<Answer> {
  const answer = await askRunningServer(config, invocation);
  if (answer !== undefined) return answer;
  try {
    const services = await openForCommand(config, invocation);
    try {
      return await executeCommand(services, invocation, (error) => terminal.writeError(`${String(error)}\n`));
    } finally {
      await services.close();
    }
  } catch (error) {
    return wordOpeningFailure(asStoreFailure(error));
  }
}

function wordOpeningFailure(error: unknown): Answer {
  if (error instanceof DataDirectoryLockedError) {
    return failed("SERVER_BUSY", "A server on this data directory is starting or stopping. Try again in a moment.");
  }
  if (isAppError(error))
    return failed(error.code, error.detail === undefined ? error.sentence : `${error.sentence} (${error.detail})`);
  throw error;
}
