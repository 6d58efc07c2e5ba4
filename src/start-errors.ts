/** Why a server does not start, in a sentence for the operator. */
import { DeclarationFileError } from "./commands/index.ts";
import type { Config } from "./config/index.ts";
import { isAppError } from "./core/index.ts";
import { DemoPortInUseError } from "./demo/index.ts";
import { DataDirectoryLockedError } from "./storage/index.ts";

/** A reason not to start, in a sentence for the operator. */
export class StartError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "StartError";
  }
}

/** The operator's sentence for what stops a start; a bug keeps its stack. */
export function reasonNotToStart(error: unknown): string {
  if (isAppError(error)) return error.detail === undefined ? error.sentence : `${error.sentence} (${error.detail})`;
  const isExpected = [StartError, DataDirectoryLockedError, DemoPortInUseError, DeclarationFileError].some(
    (kind) => error instanceof kind,
  );
  if (error instanceof Error) return isExpected ? error.message : (error.stack ?? error.message);
  return String(error);
}

/** Which of the two ports it is about, the error itself says. */
export function reasonNotToListen(error: unknown, { listen: main, metrics }: Config): unknown {
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
