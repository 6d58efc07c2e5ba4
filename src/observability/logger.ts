import { type DestinationStream, type Logger as PinoLogger, pino } from "pino";

/** Structured log lines: an object of fields first, then a sentence. */
export type Logger = Pick<PinoLogger, "debug" | "info" | "warn" | "error"> & {
  child(fields: Readonly<Record<string, unknown>>): Logger;
};

/**
 * Names under which a secret, a token, a code or personal data might be logged by mistake. Whatever stands under one of
 * them, at any of the first four levels, is replaced.
 */
export const REDACTED_FIELDS = [
  "access_token",
  "assertion",
  "authorization",
  "client_assertion",
  "client_secret",
  "code",
  "code_verifier",
  "cookie",
  "dpop",
  "email",
  "id_token",
  "id_token_hint",
  "login_hint",
  "logout_token",
  "name",
  "password",
  "refresh_token",
  "request",
  "secret",
  "set-cookie",
  "state",
  "nonce",
  "token",
] as const;

const LEVELS_DEEP = 4;

function redactedPaths(): string[] {
  return REDACTED_FIELDS.flatMap((field) =>
    Array.from({ length: LEVELS_DEEP }, (_, depth) => `${"*.".repeat(depth)}["${field}"]`.replace(".[", "[")),
  );
}

export interface LoggerOptions {
  readonly level: "debug" | "info" | "warn" | "error" | "silent";
  /** Where lines go; standard output when absent. */
  readonly destination?: DestinationStream;
}

export function createLogger(options: LoggerOptions): Logger {
  const settings = {
    level: options.level,
    base: null,
    timestamp: () => `,"time":"${new Date().toISOString()}"`,
    formatters: { level: (label: string) => ({ level: label }) },
    redact: { paths: redactedPaths(), censor: "[redacted]" },
  };
  return options.destination === undefined ? pino(settings) : pino(settings, options.destination);
}
