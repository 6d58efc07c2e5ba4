import { type DestinationStream, type Logger as PinoLogger, pino } from "pino";
import { redact } from "./redaction.ts";

/** Structured log lines: an object of fields first, then a sentence. */
export type Logger = Pick<PinoLogger, "debug" | "info" | "warn" | "error"> & {
  child(fields: Readonly<Record<string, unknown>>): Logger;
};

export interface LoggerOptions {
  readonly level: "debug" | "info" | "warn" | "error" | "silent";
  /** Several processes write to the same place, so that only what is written at once stays in one piece. */
  readonly sharesOutput?: boolean;
  /** Where lines go; standard output when absent. */
  readonly destination?: DestinationStream;
}

/** Lines leave in blocks, a moment late: a write for each request would be a good part of what a request costs. */
const BLOCKS = { minLength: 12 * 1024 };
const LATE_MS_MAX = 100;

/** What a pipe takes in one piece, whoever else writes to it (`PIPE_BUF`). A single longer line may still be torn. */
const PIECE_BYTES = 4096;

/** Lines under way when the process is killed are lost; when it ends in any other way they are written. */
export function createLogger(options: LoggerOptions): Logger {
  const size = options.sharesOutput === true ? { minLength: PIECE_BYTES / 2, maxWrite: PIECE_BYTES } : BLOCKS;
  const destination = options.destination ?? pino.destination({ sync: false, periodicFlush: LATE_MS_MAX, ...size });
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
