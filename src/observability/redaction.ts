/**
 * Names under which a secret, a token, a code or personal data might be logged by mistake. Whatever stands under one of
 * them is replaced.
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

const CENSOR = "[redacted]";
const LEVELS_MAX = 6;
const redacted: ReadonlySet<string> = new Set(REDACTED_FIELDS);

/**
 * The fields of a log line without what must not be in it. Not pino's own redaction, which takes paths and not names:
 * 23 names at four levels are 92 wildcard paths, and cost more than the rest of a request's logging together.
 */
export function redact(fields: Record<string, unknown>, level = 1): Record<string, unknown> {
  const kept: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(fields)) {
    kept[name] = redacted.has(name.toLowerCase()) ? CENSOR : redactValue(value, level);
  }
  return kept;
}

function redactValue(value: unknown, level: number): unknown {
  if (typeof value !== "object" || value === null || value instanceof Error) return value;
  // Nothing that we log is nested so deeply, so it is no loss to leave it out.
  if (level >= LEVELS_MAX) return CENSOR;
  if (Array.isArray(value)) return value.map((item: unknown) => redactValue(item, level + 1));
  return redact(value as Record<string, unknown>, level + 1);
}
