import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { parse } from "yaml";
import { PLACE_LINE_EXAMPLE, type PlaceOf, readPlacesFile } from "../places/index.ts";
import { type Config, ConfigError, type ConfigFault } from "./config.ts";
import { isLoopbackOrigin } from "./loopback.ts";
import { decideMail, type MailConfig } from "./mail-settings.ts";
import { listSettingsInForce } from "./settings-in-force.ts";
import { type Setting, type SettingKey, SETTINGS, type SettingValues } from "./settings.ts";

const DAY_SECONDS = 24 * 60 * 60;
/** Below, a password is too little to stand alone. */
const PASSWORD_ALONE_CHARACTERS_MIN = 12;

export type Environment = Readonly<Record<string, string | undefined>>;

/** Where the text of a setting came from. */
export type SettingOrigin = "environment" | "file";

interface RawValue {
  readonly text: string;
  readonly origin: SettingOrigin;
}

/** What the settings are read for: a command neither waits nor fails for files that only the server's pages use. */
export type Purpose = "server" | "command";

type RawValues = Map<SettingKey, RawValue>;

const KEYS = Object.keys(SETTINGS) as SettingKey[];
const settingOf = (key: SettingKey): Setting => SETTINGS[key];
const isKey = (key: string): key is SettingKey => Object.hasOwn(SETTINGS, key);

/**
 * Reads the settings from the file named by `CONFIG_FILE`, from the environment (which wins) and from the files that
 * `<KEY>_FILE` names; and the file of places.
 *
 * @param environment the process's own when absent.
 * @throws ConfigError with every fault, when there is any.
 */
export function loadConfig(environment: Environment = process.env, purpose: Purpose = "server"): Config {
  const { values, placeOf, faults } = readSettings(environment, purpose);
  if (faults.length > 0) throw new ConfigError(faults);
  return toConfig(values, placeOf);
}

/** Everything that was said and everything that is wrong with it; faulty values have their default in `values`. */
export function readSettings(environment: Environment, purpose: Purpose) {
  const faults: ConfigFault[] = [];
  const raw: RawValues = new Map();
  readSettingsFile(environment["CONFIG_FILE"], raw, faults);
  readEnvironment(environment, raw, faults);
  findUnknownKeys(environment, faults);
  const values = parseValues(raw, faults);
  findContradictions(values, faults);
  const placeOf = purpose === "server" ? readPlaces(values.PLACES_FILE, faults) : undefined;
  return { raw: raw as ReadonlyMap<SettingKey, RawValue>, values, placeOf, faults: faults as readonly ConfigFault[] };
}

function readSettingsFile(path: string | undefined, raw: RawValues, faults: ConfigFault[]): void {
  if (path === undefined || path === "") return;
  const example = settingOf("CONFIG_FILE").example;
  let settings: unknown;
  try {
    settings = parse(readFileSync(path, "utf8"));
  } catch {
    faults.push({ key: "CONFIG_FILE", problem: "names a file that cannot be read as YAML", example });
    return;
  }
  if (settings === null) return;
  if (typeof settings !== "object" || Array.isArray(settings)) {
    faults.push({ key: "CONFIG_FILE", problem: "names a file that is not a list of keys with values", example });
    return;
  }
  for (const [key, value] of Object.entries(settings)) {
    if (isKey(key) && ["string", "number", "boolean"].includes(typeof value))
      raw.set(key, { text: String(value), origin: "file" });
    else
      faults.push({
        key,
        problem: isKey(key) ? "is not a single value in the settings file" : unknownKey(key),
        example: exampleFor(key),
      });
  }
}

function readEnvironment(environment: Environment, raw: RawValues, faults: ConfigFault[]): void {
  for (const key of KEYS) {
    const direct = environment[key];
    const path = settingOf(key).isSecret ? environment[`${key}_FILE`] : undefined;
    if (direct && path) {
      faults.push({ key, problem: `is given twice, directly and as ${key}_FILE`, example: settingOf(key).example });
    } else if (direct) {
      raw.set(key, { text: direct, origin: "environment" });
    } else if (path) {
      try {
        raw.set(key, { text: readFileSync(path, "utf8").trim(), origin: "environment" });
      } catch {
        faults.push({
          key: `${key}_FILE`,
          problem: "names a file that cannot be read",
          example: `/run/secrets/${key.toLowerCase()}`,
        });
      }
    }
  }
}

/** A misspelt setting is silently without effect, so what is meant for us and unknown is a fault. */
function findUnknownKeys(environment: Environment, faults: ConfigFault[]): void {
  const known = new Set<string>(KEYS.flatMap((key) => (settingOf(key).isSecret ? [key, `${key}_FILE`] : [key])));
  for (const key of Object.keys(environment)) {
    if (known.has(key) || environment[key] === "") continue;
    const isOurs = key.startsWith("LATCHKEY_") || key.startsWith("DEMO_");
    if (isOurs || (key.length >= 6 && nearestKey(key) !== undefined)) {
      faults.push({ key, problem: unknownKey(key), example: exampleFor(key) });
    }
  }
}

function unknownKey(key: string): string {
  const nearest = nearestKey(key);
  return nearest === undefined
    ? "is not a setting of Latchkey"
    : `is not a setting of Latchkey; did you mean ${nearest}?`;
}

function exampleFor(key: string): string {
  const nearest = nearestKey(key) ?? (isKey(key) ? key : undefined);
  return nearest === undefined ? "unset it, or see docs/configuration.md" : `${nearest}=${settingOf(nearest).example}`;
}

function nearestKey(key: string): SettingKey | undefined {
  return KEYS.find((known) => known !== key && isOneSlipAway(key, known));
}

/** Whether one letter was left out, added, mistaken or swapped with its neighbor. */
function isOneSlipAway(typed: string, known: string): boolean {
  if (Math.abs(typed.length - known.length) > 1) return false;
  let start = 0;
  while (start < typed.length && typed[start] === known[start]) start += 1;
  const typedRest = typed.slice(start);
  const knownRest = known.slice(start);
  const isSwap = typedRest[0] === knownRest[1] && typedRest[1] === knownRest[0];
  return (
    typedRest.slice(1) === knownRest ||
    typedRest === knownRest.slice(1) ||
    typedRest.slice(1) === knownRest.slice(1) ||
    (isSwap && typedRest.slice(2) === knownRest.slice(2))
  );
}

function parseValues(raw: RawValues, faults: ConfigFault[]): SettingValues {
  const values: Partial<Record<SettingKey, unknown>> = {};
  for (const key of KEYS) {
    const result = settingOf(key).schema.safeParse(raw.get(key)?.text);
    if (result.success) values[key] = result.data;
    else {
      const problem = result.error.issues[0]?.message ?? "is not valid";
      faults.push({ key, problem, example: settingOf(key).example });
      // Stand in for the faulty value, so that what depends on it is checked as well.
      values[key] = settingOf(key).schema.safeParse(undefined).data;
    }
  }
  return values as SettingValues;
}

/** Faults that no single setting shows. */
function findContradictions(values: SettingValues, faults: ConfigFault[]): void {
  const example = (key: SettingKey): string => settingOf(key).example;
  const alreadyFaulty = new Set(faults.map(({ key }) => key));
  const add = (key: SettingKey, problem: string): void => {
    if (!alreadyFaulty.has(key)) faults.push({ key, problem, example: example(key) });
  };
  if (values.SESSION_IDLE_SECONDS > values.SESSION_MAX_SECONDS) {
    add("SESSION_IDLE_SECONDS", "is longer than SESSION_MAX_SECONDS");
  }
  if (values.REFRESH_IDLE_SECONDS > values.REFRESH_MAX_SECONDS) {
    add("REFRESH_IDLE_SECONDS", "is longer than REFRESH_MAX_SECONDS");
  }
  if (values.KEY_LEAD_SECONDS <= values.JWKS_CACHE_SECONDS) {
    add("KEY_LEAD_SECONDS", "is not longer than JWKS_CACHE_SECONDS");
  }
  if (values.KEY_ROTATION_SECONDS !== 0 && values.KEY_ROTATION_SECONDS < values.KEY_LEAD_SECONDS) {
    add("KEY_ROTATION_SECONDS", "is shorter than KEY_LEAD_SECONDS");
  }
  if (values.PASSWORD_LENGTH_MIN < PASSWORD_ALONE_CHARACTERS_MIN && values.MFA_POLICY !== "required") {
    add("PASSWORD_LENGTH_MIN", "is less than 12, which takes a second factor for everybody: MFA_POLICY=required");
  }
  if (values.PASSWORD_BREACH_LIST_URL !== undefined && !isHttpsOrLoopback(values.PASSWORD_BREACH_LIST_URL)) {
    add("PASSWORD_BREACH_LIST_URL", "is not https");
  }
  if (values.MAIL_URL !== undefined && values.MAIL_FROM === undefined) {
    add("MAIL_FROM", "is missing, and MAIL_URL without it is not enough to send mail");
  }
  if (values.EMAIL_VERIFICATION === "required" && values.MAIL_URL === undefined && mailOf(values).mode === "off") {
    add("EMAIL_VERIFICATION", "is required, and no mail is sent without MAIL_URL");
  }
  if (values.METRICS_PORT === values.PORT && values.METRICS_PORT !== undefined)
    add("METRICS_PORT", "is the same as PORT");
  if (values.DATABASE_URL === undefined) {
    if (values.REDIS_URL !== undefined && !alreadyFaulty.has("DATABASE_URL")) {
      add("DATABASE_URL", "is missing, and REDIS_URL without it is not a deployment that we support");
    }
    return;
  }
  if (values.ISSUER === undefined) add("ISSUER", "is missing");
  else if (!isHttpsOrLoopback(values.ISSUER)) add("ISSUER", "is not https");
  if (values.LATCHKEY_SECRET === undefined) add("LATCHKEY_SECRET", "is missing");
}

/** Read here and not where it is used, so that its faults are named with all others and `config check` finds them. */
function readPlaces(path: string | undefined, faults: ConfigFault[]): PlaceOf | undefined {
  if (path === undefined) return undefined;
  const read = readPlacesFile(path);
  for (const { problem, about } of read.faults) {
    const example = about === "line" ? PLACE_LINE_EXAMPLE : settingOf("PLACES_FILE").example;
    faults.push({ key: "PLACES_FILE", problem, example });
  }
  return read.placeOf;
}

function isHttpsOrLoopback(origin: string): boolean {
  return origin.startsWith("https:") || isLoopbackOrigin(origin);
}

function toConfig(values: SettingValues, placeOf: PlaceOf | undefined): Config {
  const isEmbedded = values.DATABASE_URL === undefined;
  return deepFreeze({
    mode: isEmbedded ? "embedded" : "production",
    issuer: issuerOf(values),
    listen: { host: values.HOST, port: values.PORT },
    shutdownDelaySeconds: isEmbedded ? 0 : values.SHUTDOWN_DELAY_SECONDS,
    secrets: values.LATCHKEY_SECRET ?? [],
    database: { url: values.DATABASE_URL, poolMax: values.DATABASE_POOL_MAX },
    redisUrl: values.REDIS_URL,
    dataDirectory: resolve(values.DATA_DIR),
    migrations: isEmbedded ? "apply" : values.MIGRATIONS,
    trustedProxies: values.TRUSTED_PROXIES,
    outboundAllowedNetworks: values.OUTBOUND_ALLOWED_NETWORKS,
    registration: values.REGISTRATION,
    verifiesEmail: verifiesEmail(values),
    passwordHash: { memoryKib: values.PASSWORD_HASH_MEMORY_KIB, passes: values.PASSWORD_HASH_PASSES },
    passwords: { charactersMin: values.PASSWORD_LENGTH_MIN, breachListUrl: values.PASSWORD_BREACH_LIST_URL },
    mfa: {
      policy: values.MFA_POLICY,
      trustedBrowserSeconds: values.MFA_TRUSTED_BROWSER_DAYS * DAY_SECONDS,
    },
    session: {
      idleSeconds: values.SESSION_IDLE_SECONDS,
      maxSeconds: values.SESSION_MAX_SECONDS,
      maxPerAccount: values.SESSION_MAX_PER_ACCOUNT,
      limitPolicy: values.SESSION_LIMIT_POLICY,
    },
    refresh: {
      replaySeconds: values.REFRESH_REPLAY_SECONDS,
      idleSeconds: values.REFRESH_IDLE_SECONDS,
      maxSeconds: values.REFRESH_MAX_SECONDS,
    },
    auditRetentionDays: values.AUDIT_RETENTION_DAYS,
    keys: {
      rotationSeconds: values.KEY_ROTATION_SECONDS,
      leadSeconds: values.KEY_LEAD_SECONDS,
      cacheSeconds: values.JWKS_CACHE_SECONDS,
    },
    feed: {
      connectionsMax: values.FEED_CONNECTIONS_MAX,
      clientConnectionsMax: values.FEED_CLIENT_CONNECTIONS_MAX,
      bufferBytesMax: values.FEED_BUFFER_BYTES_MAX,
    },
    brand: { name: values.BRAND_NAME, color: values.BRAND_COLOR, logoFile: values.BRAND_LOGO },
    placeOf,
    mail: mailOf(values),
    links: { help: values.HELP_URL, privacy: values.PRIVACY_URL },
    auditLog: values.AUDIT_LOG,
    logLevel: values.LOG_LEVEL ?? (isEmbedded ? "warn" : "info"),
    metrics: values.METRICS_PORT === undefined ? undefined : { host: values.METRICS_HOST, port: values.METRICS_PORT },
    traces: tracesOf(values),
    demo:
      isEmbedded && values.DEMO === "on" ? { appPort: values.DEMO_APP_PORT, apiPort: values.DEMO_API_PORT } : undefined,
    settings: listSettingsInForce(values),
  } satisfies Config);
}

function issuerOf(values: SettingValues): string {
  return values.ISSUER ?? `http://localhost:${values.PORT}`;
}

function mailOf(values: SettingValues): MailConfig {
  const isEmbedded = values.DATABASE_URL === undefined;
  return decideMail({ server: values.MAIL_URL, from: values.MAIL_FROM, isEmbedded, issuer: issuerOf(values) });
}

/** On trial nobody has to look for a mail, unless they want to see how it is. */
function verifiesEmail({ EMAIL_VERIFICATION, MAIL_URL }: SettingValues): boolean {
  return EMAIL_VERIFICATION === undefined ? MAIL_URL !== undefined : EMAIL_VERIFICATION === "required";
}

/** What a server with these settings does without. */
export function warningsOf(values: SettingValues): readonly string[] {
  const mail = mailOf(values);
  return mail.mode === "off" ? [mail.meaning] : [];
}

function tracesOf(values: SettingValues): Config["traces"] {
  const endpoint = values.OTEL_EXPORTER_OTLP_ENDPOINT;
  if (endpoint === undefined) return undefined;
  return {
    url: `${endpoint.replace(/\/+$/, "")}/v1/traces`,
    headers: values.OTEL_EXPORTER_OTLP_HEADERS ?? {},
    serviceName: values.OTEL_SERVICE_NAME,
    samplingRatio: values.OTEL_TRACES_SAMPLER_ARG,
  };
}

function deepFreeze<Value extends object>(value: Value): Value {
  for (const part of Object.values(value)) if (typeof part === "object" && part !== null) deepFreeze(part);
  return Object.freeze(value);
}
