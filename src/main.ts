import { setTimeout as delay } from "node:timers/promises";
import {
  createTerminal,
  executeCommand,
  printAnswer,
  readDeclarationFile,
  startControlServer,
} from "./commands/index.ts";
import { compose, type Latchkey } from "./compose.ts";
import type { Config } from "./config/index.ts";
import { type Demo, startDemo } from "./demo/index.ts";
import { createLogger, startIdleCollection } from "./observability/index.ts";
import { reasonNotToListen, reasonNotToStart, StartError } from "./start-errors.ts";
import { socketPathIn } from "./storage/index.ts";
import { type StopSignal, untilSignal } from "./until-signal.ts";
import { isWorker, leaveSupervisor, tellReady, workerName } from "./workers/index.ts";

export interface ServeOptions {
  /** A declarative file of clients and resource servers, applied before the server takes requests. */
  readonly applyFile?: string | undefined;
  /** How many processes share the machine and the port with this one, itself included. One when absent. */
  readonly workers?: number;
}

/** What a server of this process consists of; closed in the opposite order. */
interface Closable {
  close(): Promise<void>;
}

/**
 * Runs the server until it is told to stop (SIGTERM, SIGINT); resolves with the exit code. A worker runs just so; it
 * writes into a log that is not its own, and leaves telling that the server is ready to its supervisor.
 *
 * Embedded mode adds the control socket for the command line and, unless switched off, the demo.
 */
export async function serve(config: Config, options: ServeOptions = {}): Promise<number> {
  // A worker may be told twice, by its supervisor and by whoever tells all processes of a service at once (systemd).
  const stop = untilSignal({ secondEndsIt: !isWorker });
  const parts: Closable[] = [];
  const closeAll = async (): Promise<void> => {
    for (const part of parts.splice(0).toReversed()) await part.close();
  };
  try {
    const logger = createLogger({
      level: config.logLevel,
      sharesOutput: isWorker || config.auditLog === "stdout",
    });
    const name = workerName();
    const latchkey = await compose(config, {
      logger: name === undefined ? logger : logger.child({ worker: name }),
      workers: options.workers ?? 1,
    });
    parts.push(latchkey);
    if (options.applyFile !== undefined) await applyFile(latchkey, options.applyFile);
    await listen(latchkey, config);
    parts.push(startIdleCollection());
    const demo = config.mode === "embedded" ? await startEmbeddedParts(latchkey, { config, parts }) : undefined;
    if (config.mode === "embedded") console.log(welcome(config, demo));
    else if (!isWorker) console.log(`Latchkey is ready at ${config.issuer}.`);
    tellReady();
    await letGo(await stop, latchkey, config);
    await closeAll();
    return 0;
  } catch (error) {
    await closeAll();
    console.error(reasonNotToStart(error));
    return 1;
  } finally {
    leaveSupervisor();
  }
}

async function applyFile(latchkey: Latchkey, path: string): Promise<void> {
  const terminal = createTerminal(process);
  const invocation = await readDeclarationFile(path, { readFile: (file) => terminal.readFile(file), mode: "apply" });
  const onBug = (error: unknown): void => latchkey.logger.error({ cause: String(error) }, "could not apply the file");
  const code = printAnswer(terminal, await executeCommand(latchkey, invocation, onBug), "text");
  if (code !== 0) throw new StartError("The server did not start because the file was not applied.");
}

async function listen(latchkey: Latchkey, config: Config): Promise<void> {
  try {
    await latchkey.listen();
  } catch (error) {
    throw reasonNotToListen(error, config);
  }
}

async function startEmbeddedParts(
  latchkey: Latchkey,
  { config, parts }: { config: Config; parts: Closable[] },
): Promise<Demo | undefined> {
  const { logger } = latchkey;
  parts.push(await startControlServer({ socketPath: socketPathIn(config.dataDirectory), services: latchkey, logger }));
  if (config.demo === undefined) return undefined;
  const demo = await startDemo({ config, clients: latchkey.clients });
  parts.push(demo);
  return demo;
}

function welcome(config: Config, demo: Demo | undefined): string {
  const rows = [
    ["Open", config.issuer],
    ...(demo === undefined
      ? []
      : [
          ["Demo", `${demo.appUrl}  (a single-page app that signs in here and calls an API)`],
          ["API", `${demo.apiUrl}  (that API: watch a token die when you revoke it)`],
        ]),
    ["Data", `${config.dataDirectory}  (database and secret; delete it to start over)`],
    ["Stop", "Ctrl-C"],
  ];
  const lines = rows.map(([label = "", text = ""]) => `  ${label.padEnd(6)}${text}`);
  return `\n${config.brand.name} is running on its embedded database, for trying out.\n\n${lines.join("\n")}\n`;
}

/** Who stops it by hand (SIGINT) does not wait; a deployment gets the time to send requests elsewhere. */
async function letGo(signal: StopSignal, latchkey: Latchkey, { shutdownDelaySeconds }: Config): Promise<void> {
  latchkey.startLeaving();
  if (signal === "SIGTERM") await delay(shutdownDelaySeconds * 1_000);
}
