import { type DestinationStream, type Logger as PinoLogger, pino } from "pino";
import { redact } from "./redaction.ts";

/** Structured log lines: an object of fields first, then a sentence. */
export type Logger = Pick<PinoLogger, "debug" | "info" | "warn" | "error"> & {
  child(fields: Readonly<Record<string, unknown>>): Logger;
};

export interface LoggerOptions {
  readonly level: "debug" | "info" | "warn" | "error" | "silent";
  /** Where lines go; standard output when absent. */
  readonly destination?: DestinationStream;
}

/** Lines leave in blocks, a moment late: a write for each request would be a good part of what a request costs. */
const BLOCK_BYTES = 12 * 1024;
const LATE_MS_MAX = 100;

/** Lines under way when the process is killed are lost; when it ends in any other way they are written. */
export function createLogger(options: LoggerOptions): Logger {
  const destination =
    options.destination ?? pino.destination({ sync: false, minLength: BLOCK_BYTES, periodicFlush: LATE_MS_MAX });
  const logger = pino(
    {
      level: options.level,
      base: null,
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
      formatters: {
        level: (label) => ({ level: label }),
        log: (fields) => redact(fields),
      },
    },
    destination,
  );
  return withRedactedChildren(logger);
}

/** What a child carries is written once, when it is made, and passes no formatter of its parent. */
function withRedactedChildren(logger: PinoLogger): Logger {
  const makeChild = logger.child.bind(logger);
  return Object.assign(logger, {
    child: (fields: Readonly<Record<string, unknown>>) => withRedactedChildren(makeChild(redact(fields))),
  });
}
