import { isIP } from "node:net";
import { z } from "zod";
import { FACTOR_POLICIES } from "./factor-policy.ts";
import { mailSender, mailServer } from "./mail-settings.ts";

/**
 * Every setting: what it means, an example, and how its text is read. `docs/configuration.md` is generated from this
 * table, so that a setting cannot exist undocumented.
 */
export interface Setting {
  readonly description: string;
  readonly example: string;
  readonly schema: z.ZodType<unknown, string | undefined>;
  /** May also come from the file named by `<KEY>_FILE`. */
  readonly isSecret?: true;
}

const port = (fallback: number) =>
  z
    .string()
    .regex(/^\d{1,5}$/, "is not a port number")
    .transform(Number)
    .refine((value) => value <= 65_535, "is not a port number")
    .default(fallback);

const wholeNumber = (fallback: number, least: number, most: number) =>
  z
    .string()
    .regex(/^\d{1,9}$/, "is not a whole number")
    .transform(Number)
    .refine((value) => value >= least && value <= most, `is not between ${least} and ${most}`)
    .default(fallback);

const optionalPort = z
  .string()
  .regex(/^\d{1,5}$/, "is not a port number")
  .transform(Number)
  .refine((value) => value > 0 && value <= 65_535, "is not a port number")
  .optional();

const optionalUrl = (schemes: readonly string[]) =>
  z
    .string()
    .refine(
      (value) => {
        const scheme = /^([a-z][a-z0-9+.-]*):\/\/./i.exec(value)?.[1]?.toLowerCase();
        return scheme !== undefined && schemes.includes(scheme);
      },
      `does not begin with ${schemes.map((scheme) => `${scheme}://`).join(" or ")}`,
    )
    .optional();

/** What paths are added to. */
const plainUrl = z
  .string()
  .refine(
    (value) => /^https?:\/\//.test(value) && URL.canParse(value) && !/[?#@]/.test(value),
    "is not an address such as https://api.pwnedpasswords.com",
  );

const webUrl = optionalUrl(["https", "http", "mailto"]);

/** An address with the length of its prefix, such as `10.0.0.0/8`. */
function isNetwork(text: string): boolean {
  const [, address = "", prefix] = /^([^/]+)\/(\d{1,3})$/.exec(text) ?? [];
  return Number(prefix) <= (isIP(address) === 4 ? 32 : 128) && isIP(address) !== 0;
}

const proxies = z
  .string()
  .transform((value) => (/^\d+$/.test(value) ? Number(value) : value.split(",").map((part) => part.trim())))
  .refine(
    (value) => (typeof value === "number" ? value <= 10 : value.every(isNetwork)),
    "is neither a number of proxies nor a list of networks",
  )
  .default(0);

/** A host name, or an address, without a port. */
function isHost(text: string): boolean {
  return isIP(text) !== 0 || /^(?!\d+(\.\d+)*$)[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/i.test(text);
}

const networksOrHosts = z
  .string()
  .transform((value) => value.split(",").map((part) => part.trim()))
  .refine((list) => list.length <= 100, "has more than 100 entries")
  .refine(
    (list) => list.every((entry) => isNetwork(entry) || isHost(entry)),
    "is not a list of networks, addresses and host names",
  )
  .default([]);

/** One issuer is one origin: no path, no query, no trailing slash, so that every party spells it alike. */
const issuer = z
  .string()
  .refine(
    (value) => /^https?:/.test(value) && URL.canParse(value) && new URL(value).origin === value,
    "is not an origin such as https://id.example.com",
  )
  .optional();

const secrets = z
  .string()
  .transform((value) => value.split(",").map((part) => part.trim()))
  .refine((list) => list.every((secret) => Buffer.byteLength(secret) >= 32), "has a secret of fewer than 32 bytes")
  .refine((list) => list.every((secret) => new Set(secret).size >= 12), "has a secret that is too regular to be random")
  .refine((list) => new Set(list).size === list.length, "names the same secret twice")
  .optional();

/** `name=value` pairs with values in percent-encoding, as the W3C Baggage format and OpenTelemetry have them. */
const headers = z
  .string()
  .transform((value) => value.split(",").map((pair) => /^\s*([!#$%&'*+.^_`|~\w-]+)\s*=\s*(.*?)\s*$/.exec(pair)))
  .refine(
    (pairs) => pairs.every((pair) => pair !== null && isPercentEncoded(pair[2] ?? "")),
    "is not a list of name=value",
  )
  .transform((pairs) =>
    Object.fromEntries(pairs.map((pair): [string, string] => [pair?.[1] ?? "", decodeURIComponent(pair?.[2] ?? "")])),
  )
  .optional();

/** Also visible: a control character in a header would begin another one. */
function isPercentEncoded(text: string): boolean {
  return /^(?:[\x20-\x24\x26-\x7e]|%[2-7][0-9a-f])*$/i.test(text) && !/%7f/i.test(text);
}

const ratio = z
  .string()
  .regex(/^(0(\.\d{1,6})?|1(\.0{1,6})?)$/, "is not a number from 0 to 1")
  .transform(Number)
  .default(1);

export const SETTINGS = {
  ISSUER: {
    description: "The origin at which people and apps reach this server. It is the `iss` of every token.",
    example: "https://id.example.com",
    schema: issuer,
  },
  HOST: {
    description: "The address to listen on. Loopback unless you say otherwise; `0.0.0.0` in a container.",
    example: "0.0.0.0",
    schema: z.string().min(1).default("127.0.0.1"),
  },
  PORT: { description: "The port to listen on.", example: "3000", schema: port(3000) },
  DATABASE_URL: {
    description: "The Postgres database. Without it Latchkey runs on an embedded one in `DATA_DIR`.",
    example: "postgres://latchkey:secret@db.example.com:5432/latchkey",
    schema: optionalUrl(["postgres", "postgresql"]),
    isSecret: true,
  },
  DATABASE_POOL_MAX: {
    description: "How many connections to Postgres one process may hold; each worker is one.",
    example: "20",
    schema: wholeNumber(10, 1, 500),
  },
  REDIS_URL: {
    description:
      "The Redis that keeps sessions, codes and tokens: `redis://`, `rediss://` (TLS) or `redis+sentinel://host:port,host:port/master`. Without it they are kept in Postgres.",
    example: "rediss://:secret@redis.example.com:6379/0",
    schema: optionalUrl(["redis", "rediss", "redis+sentinel", "rediss+sentinel"]),
    isSecret: true,
  },
  LATCHKEY_SECRET: {
    description:
      "32 random bytes or more, from which every key is derived. Comma-separated, newest first, to rotate it. Losing it loses the signing keys and the enrolled second factors.",
    example: "$(openssl rand -base64 48)",
    schema: secrets,
    isSecret: true,
  },
  DATA_DIR: {
    description: "Where embedded mode keeps its database, its secret and its control socket.",
    example: "/var/lib/latchkey",
    schema: z.string().min(1).default("./data"),
  },
  SHUTDOWN_DELAY_SECONDS: {
    description:
      "How long a node that is told to stop (SIGTERM) goes on taking requests, while it is not ready any more and every answer closes its connection: longer than the balancer takes to notice. Part of the 25 seconds that it takes at the most.",
    example: "10",
    schema: wholeNumber(5, 0, 20),
  },
  MIGRATIONS: {
    description: "`check` refuses to start while migrations are pending; `apply` applies them first.",
    example: "apply",
    schema: z.enum(["check", "apply"], "is neither check nor apply").default("check"),
  },
  TRUSTED_PROXIES: {
    description:
      "The reverse proxies in front: how many, or their networks. Forwarded headers are ignored unless a trusted proxy sent them.",
    example: "10.0.0.0/8,fd00::/8",
    schema: proxies,
  },
  OUTBOUND_ALLOWED_NETWORKS: {
    description:
      "Networks, addresses and host names inside that back-channel logout may call. Without it only the public internet is called; with it, http is allowed to what is named here.",
    example: "10.20.0.0/16,logout.internal.example.com",
    schema: networksOrHosts,
  },
  MAIL_URL: {
    description:
      "The SMTP server that takes our mails: `smtps://` (TLS from the start, port 465 unless given) or `smtp://` (STARTTLS, port 587), with user and password in percent-encoding. Without TLS nothing is sent, but for `smtp://` on loopback and for `smtp+insecure://` (port 25), for a relay inside a network that you trust. Without this setting no mail is sent; embedded mode keeps them, to be read at `/dev/mail` ([more](mail.md)).",
    example: "smtps://user:password@mail.example.com:465",
    schema: mailServer,
    isSecret: true,
  },
  MAIL_FROM: {
    description: "Who mails come from, with or without a name; `BRAND_NAME` is the name when there is none.",
    example: "Example ID <id@example.com>",
    schema: mailSender,
  },
  REGISTRATION: {
    description:
      "Who may create an account: `open` is everybody, `invitation` whoever was invited (`latchkey user invite`), `closed` nobody but operators.",
    example: "invitation",
    schema: z.enum(["open", "invitation", "closed"], "is neither open nor invitation nor closed").default("open"),
  },
  EMAIL_VERIFICATION: {
    description:
      "`required`: people prove their email by a mail before they have an account or can use the one that they were given, and no answer tells whether an email has one. `off`: they don't. `required` is the default where `MAIL_URL` is set ([more](accounts.md)).",
    example: "required",
    schema: z.enum(["required", "off"], "is neither required nor off").optional(),
  },
  PASSWORD_LENGTH_MIN: {
    description:
      "How many characters a password has at least: 15 is what NIST SP 800-63B-4 asks for where a password alone is enough. Fewer than 12, and never fewer than 8, only with `MFA_POLICY=required` ([more](passwords.md)).",
    example: "15",
    schema: wholeNumber(12, 8, 64),
  },
  PASSWORD_BREACH_LIST_URL: {
    description:
      "Asks Have I Been Pwned, or a mirror of it, whether a new password leaked somewhere, by the first five digits of its SHA-1. When there is no answer within two seconds the password is accepted, and the log says so. Without this setting nobody is asked ([more](passwords.md#passwords-that-leaked)).",
    example: "https://api.pwnedpasswords.com",
    schema: plainUrl.optional(),
  },
  PASSWORD_HASH_MEMORY_KIB: {
    description: "Memory of one argon2id hash in KiB. Raising it rehashes passwords at the next sign-in.",
    example: "19456",
    schema: wholeNumber(19_456, 19_456, 1_048_576),
  },
  PASSWORD_HASH_PASSES: {
    description: "Passes of one argon2id hash.",
    example: "2",
    schema: wholeNumber(2, 2, 20),
  },
  MFA_POLICY: {
    description:
      "Second factors: `off`, `optional` (whoever has one is asked for it) or `required` (whoever has none adds one while signing in). A client may have its own.",
    example: "required",
    schema: z.enum(FACTOR_POLICIES, "is neither off nor optional nor required").default("optional"),
  },
  MFA_TRUSTED_BROWSER_DAYS: {
    description:
      "For how long people may ask not to be asked for their second factor again in one browser; `0` is never. Nobody is spared it where the policy is `required`, or where an app asks for it.",
    example: "30",
    schema: wholeNumber(0, 0, 90),
  },
  SESSION_IDLE_SECONDS: {
    description: "A session ends when it has not been used for this long.",
    example: "86400",
    schema: wholeNumber(86_400, 60, 31_536_000),
  },
  SESSION_MAX_SECONDS: {
    description: "A session ends this long after the sign-in, however much it is used.",
    example: "1209600",
    schema: wholeNumber(1_209_600, 60, 31_536_000),
  },
  SESSION_MAX_PER_ACCOUNT: {
    description: "How many sessions one person may have at once; `0` is any number.",
    example: "5",
    schema: wholeNumber(0, 0, 10_000),
  },
  SESSION_LIMIT_POLICY: {
    description:
      "What happens to a sign-in beyond `SESSION_MAX_PER_ACCOUNT`: `evict-oldest` ends the person's oldest session for it, `refuse` refuses it.",
    example: "refuse",
    schema: z.enum(["evict-oldest", "refuse"], "is neither evict-oldest nor refuse").default("evict-oldest"),
  },
  REFRESH_REPLAY_SECONDS: {
    description:
      "How long a client that repeats a refresh, because the answer was lost or because several tabs refresh at once, gets the same new refresh token. 0 ends the sign-in of such a client.",
    example: "30",
    schema: wholeNumber(30, 0, 60),
  },
  REFRESH_IDLE_SECONDS: {
    description: "A refresh token ends when it has not been used for this long; a client may have its own.",
    example: "1209600",
    schema: wholeNumber(1_209_600, 60, 31_536_000),
  },
  REFRESH_MAX_SECONDS: {
    description:
      "Refresh tokens of one sign-in end after this long, however much they are used; a client may have less. Those without `offline_access` end with the session.",
    example: "7776000",
    schema: wholeNumber(7_776_000, 60, 31_536_000),
  },
  AUDIT_RETENTION_DAYS: {
    description:
      "How long events of the audit log are kept. They go by whole months of UTC, so that the oldest are kept for up to a month longer ([more](audit-integrity.md)).",
    example: "730",
    schema: wholeNumber(400, 31, 36_500),
  },
  KEY_ROTATION_SECONDS: {
    description:
      "How long a key signs tokens before the next one takes its place; `0` leaves that to `latchkey keys rotate`.",
    example: "2592000",
    schema: wholeNumber(7_776_000, 0, 315_360_000),
  },
  KEY_LEAD_SECONDS: {
    description:
      "How long a key is published at least before it signs. Longer than `JWKS_CACHE_SECONDS` and what services wait before they look for an unknown key again, which is up to a minute; raise it for services that keep keys longer.",
    example: "86400",
    schema: wholeNumber(600, 1, 31_536_000),
  },
  JWKS_CACHE_SECONDS: {
    description: "How long caches may keep discovery and the public keys (`Cache-Control: max-age`).",
    example: "300",
    schema: wholeNumber(300, 1, 86_400),
  },
  FEED_CONNECTIONS_MAX: {
    description:
      "How many connections to `GET /revocations` one process holds at once, of all services together. It protects that process and is counted there.",
    example: "1000",
    schema: wholeNumber(1_000, 1, 100_000),
  },
  FEED_CLIENT_CONNECTIONS_MAX: {
    description:
      "How many of these connections one client may have over all nodes together: one for each process of it that listens, and one more while a process renews its own.",
    example: "20",
    schema: wholeNumber(20, 1, 100_000),
  },
  FEED_BUFFER_BYTES_MAX: {
    description:
      "What may wait for one of these services before it is cut off, in bytes; it connects anew and goes on where it was.",
    example: "1048576",
    schema: wholeNumber(1_048_576, 16_384, 104_857_600),
  },
  BRAND_NAME: {
    description: "The name that people read on the hosted pages.",
    example: "Example ID",
    schema: z.string().min(1).max(60, "is longer than 60 characters").default("Latchkey"),
  },
  BRAND_COLOR: {
    description: "The accent color of the hosted pages, as six hexadecimal digits.",
    example: "#0f766e",
    schema: z
      .string()
      .regex(/^#[0-9a-f]{6}$/i, "is not a color such as #0f766e")
      .default("#4f46e5"),
  },
  BRAND_LOGO: {
    description: "An SVG or PNG file, square, that replaces our mark on the hosted pages.",
    example: "/etc/latchkey/logo.svg",
    schema: z
      .string()
      .regex(/\.(svg|png)$/i, "is neither an .svg nor a .png file")
      .optional(),
  },
  PLACES_FILE: {
    description:
      "A file that says roughly where addresses are, for the account page: `network,place` a line, for example `192.0.2.0/24,Malmö, Sweden` ([its format](account-page.md#times-and-places)). Without it the page shows addresses alone.",
    example: "/etc/latchkey/places.csv",
    schema: z.string().min(1).optional(),
  },
  HELP_URL: {
    description: "Where the pages' Help link leads.",
    example: "https://help.example.com",
    schema: webUrl,
  },
  PRIVACY_URL: {
    description: "Where the pages' Privacy link leads.",
    example: "https://example.com/privacy",
    schema: webUrl,
  },
  LOG_LEVEL: {
    description:
      "`debug`, `info`, `warn`, `error` or `silent`. Without it, `warn` in embedded mode, where a person reads along, and `info` otherwise.",
    example: "info",
    schema: z.enum(["debug", "info", "warn", "error", "silent"], "is no log level").optional(),
  },
  AUDIT_LOG: {
    description:
      "Where events of the audit log are written as lines of JSON, for log pipelines: `stdout`, where they stand between the lines of the log, or a file, which only its owner can read. Each event is written by one node of the deployment ([more](audit.md#lines-for-log-pipelines)). Without it they are in the database alone.",
    example: "/var/log/latchkey/audit.ndjson",
    schema: z
      .string()
      .refine((value) => value === "stdout" || value.includes("/"), "is neither stdout nor the path of a file")
      .optional(),
  },
  METRICS_PORT: {
    description:
      "The port at which Prometheus reads `/metrics`, apart from the port that people and apps reach. Without it nothing is counted.",
    example: "9464",
    schema: optionalPort,
  },
  METRICS_HOST: {
    description:
      "The address of that port. Whoever reaches it can read all metrics: loopback unless you say otherwise, and `0.0.0.0` only behind a network policy.",
    example: "0.0.0.0",
    schema: z.string().min(1).default("127.0.0.1"),
  },
  OTEL_EXPORTER_OTLP_ENDPOINT: {
    description:
      "The OpenTelemetry collector that traces go to, by OTLP over HTTP (JSON), at `/v1/traces` below this address. Without it nothing is traced.",
    example: "http://collector.example.com:4318",
    schema: optionalUrl(["http", "https"]),
  },
  OTEL_EXPORTER_OTLP_HEADERS: {
    description: "Headers for the collector, as `name=value` with commas between them and values in percent-encoding.",
    example: "authorization=Bearer%20secret",
    schema: headers,
    isSecret: true,
  },
  OTEL_SERVICE_NAME: {
    description: "The name of this service in traces.",
    example: "latchkey-staging",
    schema: z.string().min(1).max(100, "is longer than 100 characters").default("latchkey"),
  },
  OTEL_TRACES_SAMPLER_ARG: {
    description:
      "The share of requests that are traced, from 0 to 1. A request that comes with a W3C `traceparent` is part of that trace; one that says it is not recorded is not recorded here either.",
    example: "0.05",
    schema: ratio,
  },
  DEMO: {
    description: "`off` leaves out the demo app and API that embedded mode serves.",
    example: "off",
    schema: z.enum(["on", "off"], "is neither on nor off").default("on"),
  },
  DEMO_APP_PORT: { description: "The port of the demo's single-page app.", example: "3001", schema: port(3001) },
  DEMO_API_PORT: { description: "The port of the demo's API.", example: "3002", schema: port(3002) },
  CONFIG_FILE: {
    description: "A YAML file of settings. What the environment says wins.",
    example: "/etc/latchkey/settings.yaml",
    schema: z.string().min(1).optional(),
  },
} as const satisfies Record<string, Setting>;

export type SettingKey = keyof typeof SETTINGS;

/** Settings as they were read: one typed value per key. */
export type SettingValues = { readonly [Key in SettingKey]: z.infer<(typeof SETTINGS)[Key]["schema"]> };
