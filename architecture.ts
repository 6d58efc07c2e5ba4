/**
 * Which folder of `src/` may import which: the one table that the linter and `test/architecture` both read.
 *
 * A folder is imported only through its `index.ts`. Where an arrow would have to point up, the lower folder declares
 * the small interface that it needs and `services.ts` or `compose.ts` joins the two.
 */
export const allowedImports = {
  core: [],
  places: [],
  config: ["core", "places"],
  observability: ["core", "config"],
  storage: ["core", "config", "observability"],
  http: ["core", "config", "observability"],
  outbox: ["core", "storage"],
  mail: ["core", "config", "storage", "http", "outbox"],
  outbound: [],
  verifier: [],
  audit: ["core", "storage"],
  backup: ["core", "storage"],
  clients: ["core", "config", "storage", "audit", "outbound"],
  sessions: ["core", "config", "storage", "audit", "outbound", "verifier"],
  accounts: ["core", "config", "storage", "audit"],
  mfa: ["core", "config", "storage", "audit", "accounts"],
  notices: ["core", "storage", "http", "audit", "accounts", "mail"],
  oidc: ["core", "config", "observability", "storage", "audit", "clients", "sessions", "accounts", "mfa"],
  interaction: ["core", "config", "http", "oidc", "clients", "accounts", "mfa", "audit"],
  "self-service": ["core", "config", "http", "oidc", "clients", "sessions", "accounts", "mfa", "audit"],
  nodes: ["core", "config", "storage"],
  doctor: ["core", "config", "storage", "audit", "nodes", "oidc", "mail"],
  metrics: ["core", "http", "storage", "audit", "sessions", "oidc", "mail", "outbox"],
  commands: [
    "core",
    "config",
    "storage",
    "audit",
    "backup",
    "clients",
    "sessions",
    "accounts",
    "mfa",
    "oidc",
    "nodes",
    "doctor",
  ],
  demo: ["core", "config", "clients"],
  workers: ["core"],
} as const satisfies Record<string, readonly string[]>;

/** The files at the top of `src/` that may import every folder. */
export const compositionFiles = [
  "main.ts",
  "supervise.ts",
  "start-errors.ts",
  "until-signal.ts",
  "compose.ts",
  "services.ts",
  "embedded-data.ts",
  "telemetry.ts",
  "upkeep.ts",
  "cli.ts",
] as const;

/** Packages that only one folder may import, so that a library's ways stay behind one door. */
export const packageOwners = {
  "oidc-provider": ["oidc"],
  jose: ["oidc", "verifier"],
  kysely: ["storage", "audit", "backup", "clients", "sessions", "accounts", "mfa", "oidc", "nodes", "outbox"],
  pg: ["storage"],
  "@electric-sql/pglite": ["storage"],
  ioredis: ["storage"],
  argon2: ["accounts"],
  "rate-limiter-flexible": ["accounts"],
  otplib: ["mfa"],
  "@simplewebauthn/server": ["mfa"],
  qrcode: ["http"],
  eta: ["http", "mail"],
  nodemailer: ["mail"],
  pino: ["observability"],
  "prom-client": ["metrics"],
  "@opentelemetry/api": ["observability"],
  "@opentelemetry/sdk-trace": ["observability"],
  "@opentelemetry/resources": ["observability"],
  "@opentelemetry/exporter-trace-otlp-http": ["observability"],
  commander: ["commands"],
} as const satisfies Record<string, readonly string[]>;
