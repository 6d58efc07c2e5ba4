import { setTimeout as delay } from "node:timers/promises";
import {
  createTerminal,
  DeclarationFileError,
  executeCommand,
  printAnswer,
  readDeclarationFile,
  startControlServer,
} from "./commands/index.ts";
import { compose, type Latchkey } from "./compose.ts";
import type { Config } from "./config/index.ts";
import { isAppError } from "./core/index.ts";
import { type Demo, DemoPortInUseError, startDemo } from "./demo/index.ts";
import { startIdleCollection } from "./observability/index.ts";
import { DataDirectoryLockedError, socketPathIn } from "./storage/index.ts";

export interface ServeOptions {
  /** A declarative file of clients and resource servers, applied before the server takes requests. */
  readonly applyFile?: string | undefined;
}

/** A reason not to start, in a sentence for the operator. */
export class StartError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "StartError";
  }
}

/** What a server of this process consists of; closed in the opposite order. */
interface Closable {
  close(): Promise<void>;
}

/**
 * Runs the server until it is told to stop (SIGTERM, SIGINT); resolves with the exit code.
 *
 * Embedded mode adds the control socket for the command line and, unless switched off, the demo.
 */
export async function serve(config: Config, options: ServeOptions = {}): Promise<number> {
  const stop = untilSignal();
  const parts: Closable[] = [];
  const closeAll = async (): Promise<void> => {
    for (const part of parts.splice(0).toReversed()) await part.close();
  };
  try {
    const latchkey = await compose(config);
    parts.push(latchkey);
    if (options.applyFile !== undefined) await applyFile(latchkey, options.applyFile);
    await listen(latchkey, config);
    parts.push(startIdleCollection());
    const demo = config.mode === "embedded" ? await startEmbeddedParts(latchkey, { config, parts }) : undefined;
    console.log(config.mode === "embedded" ? welcome(config, demo) : `Latchkey is ready at ${config.issuer}.`);
    await letGo(await stop, latchkey, config);
    await closeAll();
    return 0;
  } catch (error) {
    await closeAll();
    console.error(reasonNotToStart(error));
    return 1;
  }
}

/** The operator's sentence for what stops a start; a bug keeps its stack. */
function reasonNotToStart(error: unknown): string {
  if (isAppError(error)) return error.detail === undefined ? error.sentence : `${error.sentence} (${error.detail})`;
  const isExpected = [StartError, DataDirectoryLockedError, DemoPortInUseError, DeclarationFileError].some(
    (kind) => error instanceof kind,
  );
  if (error instanceof Error) return isExpected ? error.message : (error.stack ?? error.message);
  return String(error);
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

/** Which of the two ports it is about, the error itself says. */
function reasonNotToListen(error: unknown, { listen: main, metrics }: Config): unknown {
  if (!(error instanceof Error) || !("code" in error)) return error;
  const isAboutMetrics = metrics !== undefined && "port" in error && error.port === metrics.port;
  const { host, port } = isAboutMetrics ? metrics : main;
  const prefix = isAboutMetrics ? "METRICS_" : "";
  if (error.code === "EADDRINUSE") {
    const sentence = `Port ${port} is in use. Stop what uses it, or set ${prefix}PORT to another port.`;
    return new StartError(sentence, { cause: error });
  }
  if (["EADDRNOTAVAIL", "EACCES"].includes(String(error.code))) {
    const settings = `${prefix}HOST and ${prefix}PORT`;
    return new StartError(`Latchkey may not listen on ${host}:${port}. Set ${settings} to what it may use.`, {
      cause: error,
    });
  }
  return error;
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

type StopSignal = "SIGINT" | "SIGTERM";

/** Resolves at the first signal to stop. A second one ends the process at once. */
function untilSignal(): Promise<StopSignal> {
  return new Promise((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM"] as const) {
      process.once(signal, () => {
        resolve(signal);
        process.once(signal, () => process.exit(1));
      });
    }
  });
}
