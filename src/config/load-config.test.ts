import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { ConfigError } from "./config.ts";
import { inspectConfig } from "./inspect-config.ts";
import { loadConfig } from "./load-config.ts";

const SECRET = "0123456789abcdefghijklmnopqrstuvwxyz";
const OLDER_SECRET = "zyxwvutsrqponmlkjihgfedcba9876543210";
const PRODUCTION = {
  DATABASE_URL: "postgres://latchkey@db.example.com/latchkey",
  ISSUER: "https://id.example.com",
  LATCHKEY_SECRET: SECRET,
};

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "latchkey-"));
});
afterEach(() => rmSync(directory, { recursive: true }));

function write(name: string, content: string): string {
  const path = join(directory, name);
  writeFileSync(path, content);
  return path;
}

function faultsOf(environment: Readonly<Record<string, string>>): readonly string[] {
  try {
    loadConfig(environment);
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.faults.map(({ key, problem }) => `${key} ${problem}`);
    throw error;
  }
}

describe("without any setting", () => {
  test("it is an embedded server on loopback with the demo", () => {
    expect(loadConfig({})).toMatchObject({
      mode: "embedded",
      issuer: "http://localhost:3000",
      listen: { host: "127.0.0.1", port: 3000 },
      dataDirectory: resolve("data"),
      migrations: "apply",
      demo: { appPort: 3001, apiPort: 3002 },
    });
  });

  test("the issuer follows the port, and the demo can be switched off", () => {
    const config = loadConfig({ PORT: "4000", DEMO: "off" });
    expect(config).toMatchObject({ issuer: "http://localhost:4000", demo: undefined });
  });
});

describe("in production", () => {
  test("issuer and secret are needed, and there is no demo", () => {
    expect(faultsOf({ DATABASE_URL: PRODUCTION.DATABASE_URL })).toEqual([
      "ISSUER is missing",
      "LATCHKEY_SECRET is missing",
    ]);
    expect(loadConfig(PRODUCTION)).toMatchObject({ mode: "production", migrations: "check", demo: undefined });
  });

  test("the issuer is https, or on this machine", () => {
    expect(faultsOf({ ...PRODUCTION, ISSUER: "http://id.example.com" })).toEqual(["ISSUER is not https"]);
    expect(faultsOf({ ...PRODUCTION, ISSUER: "http://id.localhost:3000" })).toEqual([]);
  });

  test("Redis without Postgres is refused", () => {
    expect(faultsOf({ REDIS_URL: "redis://localhost" })[0]).toMatch(/^DATABASE_URL is missing/);
  });
});

test.each([
  "id.example.com",
  "https://id.example.com/",
  "https://ID.example.com",
  "https://id.example.com/a",
  "ftp://id.example.com",
  "ws://localhost",
])("the issuer is an origin: %s is refused", (issuer) => {
  expect(faultsOf({ ISSUER: issuer })).toEqual(["ISSUER is not an origin such as https://id.example.com"]);
});

describe("LATCHKEY_SECRET", () => {
  test("is a list, newest first", () => {
    const { secrets } = loadConfig({ ...PRODUCTION, LATCHKEY_SECRET: `${SECRET}, ${OLDER_SECRET}` });
    expect(secrets).toEqual([SECRET, OLDER_SECRET]);
  });

  test.each([
    ["a".repeat(31), "has a secret of fewer than 32 bytes"],
    [`${SECRET},short`, "has a secret of fewer than 32 bytes"],
    ["a".repeat(64), "has a secret that is too regular to be random"],
    [`${SECRET},${SECRET}`, "names the same secret twice"],
  ])("%s is refused", (secret, problem) => {
    expect(faultsOf({ ...PRODUCTION, LATCHKEY_SECRET: secret })).toEqual([`LATCHKEY_SECRET ${problem}`]);
  });

  test("may come from a file, and then from nowhere else", () => {
    const { LATCHKEY_SECRET: _, ...others } = PRODUCTION;
    const file = write("secret", `${SECRET}\n`);
    expect(loadConfig({ ...others, LATCHKEY_SECRET_FILE: file }).secrets).toEqual([SECRET]);
    expect(faultsOf({ ...PRODUCTION, LATCHKEY_SECRET_FILE: file })[0]).toContain("is given twice");
    expect(faultsOf({ ...others, LATCHKEY_SECRET_FILE: join(directory, "gone") })).toContain(
      "LATCHKEY_SECRET_FILE names a file that cannot be read",
    );
  });
});

describe("the settings file", () => {
  test("is read, and the environment wins", () => {
    const CONFIG_FILE = write("settings.yaml", "PORT: 4000\nBRAND_NAME: Example ID\nDEMO: 'off'\n");
    const config = loadConfig({ CONFIG_FILE, PORT: "5000" });
    expect(config).toMatchObject({ listen: { port: 5000 }, brand: { name: "Example ID" }, demo: undefined });
  });

  test("may be empty", () => {
    expect(faultsOf({ CONFIG_FILE: write("settings.yaml", "# nothing yet\n") })).toEqual([]);
  });

  test.each([
    ["PROT: 4000", "PROT is not a setting of Latchkey; did you mean PORT?"],
    ["COLOR: red", "COLOR is not a setting of Latchkey"],
    ["PORT: [1]", "PORT is not a single value in the settings file"],
    ["- PORT", "CONFIG_FILE names a file that is not a list of keys with values"],
    ["PORT: {", "CONFIG_FILE names a file that cannot be read as YAML"],
  ])("%j is a fault", (content, fault) => {
    expect(faultsOf({ CONFIG_FILE: write("settings.yaml", content) })).toEqual([fault]);
  });
});

test("all faults are reported at once, each with an example", () => {
  const environment = {
    ...PRODUCTION,
    PORT: "70000",
    LOG_LEVEL: "loud",
    LATCHKEY_SECRETS: "x",
    SESSION_IDLE_SECONDS: "59",
  };
  expect(faultsOf(environment)).toEqual([
    "LATCHKEY_SECRETS is not a setting of Latchkey; did you mean LATCHKEY_SECRET?",
    "PORT is not a port number",
    "SESSION_IDLE_SECONDS is not between 60 and 31536000",
    "LOG_LEVEL is no log level",
  ]);
  expect(() => loadConfig(environment)).toThrow(
    /The configuration has 4 faults:[^]*PORT is not a port number\.\n +For example: 3000/,
  );
});

test("settings that contradict each other are a fault", () => {
  const environment = { SESSION_IDLE_SECONDS: "3600", SESSION_MAX_SECONDS: "600", REFRESH_MAX_SECONDS: "86400" };
  expect(faultsOf(environment)).toEqual([
    "SESSION_IDLE_SECONDS is longer than SESSION_MAX_SECONDS",
    "REFRESH_IDLE_SECONDS is longer than REFRESH_MAX_SECONDS",
  ]);
});

test.each<[length: string, policy: string, faults: readonly string[]]>([
  ["12", "optional", []],
  [
    "11",
    "optional",
    ["PASSWORD_LENGTH_MIN is less than 12, which takes a second factor for everybody: MFA_POLICY=required"],
  ],
  ["8", "required", []],
  ["7", "required", ["PASSWORD_LENGTH_MIN is not between 8 and 64"]],
  ["64", "off", []],
  ["65", "off", ["PASSWORD_LENGTH_MIN is not between 8 and 64"]],
])("passwords of %s characters, second factors %s [ASVS 6.2.1] [SP 800-63B-4 3.1.1.2]", (length, policy, faults) => {
  expect(faultsOf({ PASSWORD_LENGTH_MIN: length, MFA_POLICY: policy })).toEqual(faults);
});

test.each<[url: string, faults: readonly string[]]>([
  ["https://api.pwnedpasswords.com", []],
  ["https://mirror.example.com/pwned/", []],
  ["http://127.0.0.1:8080", []],
  ["http://mirror.example.com", ["PASSWORD_BREACH_LIST_URL is not https"]],
  [
    "https://user:secret@mirror.example.com",
    ["PASSWORD_BREACH_LIST_URL is not an address such as https://api.pwnedpasswords.com"],
  ],
  ["on", ["PASSWORD_BREACH_LIST_URL is not an address such as https://api.pwnedpasswords.com"]],
])("the list of leaked passwords at %s", (url, faults) => {
  expect(faultsOf({ PASSWORD_BREACH_LIST_URL: url })).toEqual(faults);
  expect(loadConfig({}).passwords.breachListUrl).toBeUndefined();
});

test("a refresh may be repeated for 30 seconds, and for no more than 60", () => {
  expect(loadConfig({}).refresh).toEqual({ replaySeconds: 30, idleSeconds: 1_209_600, maxSeconds: 7_776_000 });
  expect(loadConfig({ REFRESH_REPLAY_SECONDS: "0" }).refresh.replaySeconds).toBe(0);
  expect(loadConfig({ REFRESH_REPLAY_SECONDS: "60" }).refresh.replaySeconds).toBe(60);
  expect(faultsOf({ REFRESH_REPLAY_SECONDS: "61" })).toEqual(["REFRESH_REPLAY_SECONDS is not between 0 and 60"]);
});

test("other programs' variables are none of our business", () => {
  expect(faultsOf({ PATH: "/bin", HOME: "/root", PORTS: "1", NODE_ENV: "test" })).toEqual([]);
});

test.each([
  ["2", 2],
  ["10.0.0.0/8, fd00::/8", ["10.0.0.0/8", "fd00::/8"]],
])("TRUSTED_PROXIES may be %s", (text, expected) => {
  expect(loadConfig({ TRUSTED_PROXIES: text }).trustedProxies).toEqual(expected);
});

test.each(["11", "proxy.example.com", "10.0.0.0", "10.0.0.0/33", "999.0.0.0/8", "fd00::/129", "-1"])(
  "TRUSTED_PROXIES may not be %s",
  (text) => {
    expect(faultsOf({ TRUSTED_PROXIES: text })[0]).toMatch(/^TRUSTED_PROXIES is neither/);
  },
);

test("OUTBOUND_ALLOWED_NETWORKS names networks, addresses and hosts, and nothing when it is absent", () => {
  const OUTBOUND_ALLOWED_NETWORKS = "10.20.0.0/16, 127.0.0.1, fd00::/8, ::1, rp.internal, localhost";
  expect(loadConfig({ OUTBOUND_ALLOWED_NETWORKS }).outboundAllowedNetworks).toEqual([
    "10.20.0.0/16",
    "127.0.0.1",
    "fd00::/8",
    "::1",
    "rp.internal",
    "localhost",
  ]);
  expect(loadConfig({}).outboundAllowedNetworks).toEqual([]);
});

test.each(["10.0.0.0/33", "10.0.0.300", "https://rp.internal", "rp.internal:8443", "*.internal", "a, ,b"])(
  "OUTBOUND_ALLOWED_NETWORKS may not be %s",
  (text) => {
    expect(faultsOf({ OUTBOUND_ALLOWED_NETWORKS: text })[0]).toMatch(/^OUTBOUND_ALLOWED_NETWORKS is not a list/);
  },
);

describe("PLACES_FILE", () => {
  test("says where addresses are; without it nobody knows", () => {
    const PLACES_FILE = write("places.csv", "192.0.2.0/24,Malmö, Sweden\n");
    expect(loadConfig({ PLACES_FILE }).placeOf?.("192.0.2.7")).toBe("Malmö, Sweden");
    expect(loadConfig({}).placeOf).toBeUndefined();
  });

  test("has its faults named with all others, each by its line and none with what stands there", () => {
    const PLACES_FILE = write("places.csv", "192.0.2.0/24\n198.51.100.0/24,Lyon\nhunter2,Malmö\n");
    const environment = { PORT: "70000", PLACES_FILE };
    expect(faultsOf(environment)).toEqual([
      "PORT is not a port number",
      "PLACES_FILE line 1 has no comma between a network and a place",
      "PLACES_FILE line 3 does not begin with a network such as 192.0.2.0/24 or 2001:db8::/32",
    ]);
    expect(() => loadConfig(environment)).toThrow(/PLACES_FILE line 1 .*\.\n +For example: 192\.0\.2\.0\/24,Malmö/);
    expect(() => loadConfig(environment)).not.toThrow(/hunter2/);
    expect(inspectConfig(environment).faults).toHaveLength(3);
  });

  test("is not read for a command, which neither waits nor fails for it", () => {
    const PLACES_FILE = write("places.csv", "no place\n");
    expect(loadConfig({ PLACES_FILE }, "command").placeOf).toBeUndefined();
  });

  test("is a fault when it is not there", () => {
    const environment = { PLACES_FILE: join(directory, "gone.csv") };
    expect(faultsOf(environment)).toEqual(["PLACES_FILE names a file that cannot be read"]);
    expect(() => loadConfig(environment)).toThrow(/For example: \/etc\/latchkey\/places\.csv/);
  });
});

test("no fault holds a value [ASVS 16.2.5]", () => {
  const environment = {
    ...PRODUCTION,
    DATABASE_URL: "mysql://root:hunter2@db",
    LATCHKEY_SECRET: "hunter2",
    ISSUER: "hunter2",
  };
  expect(() => loadConfig(environment)).toThrow(ConfigError);
  expect(() => loadConfig(environment)).not.toThrow(/hunter2/);
});

test("the configuration is frozen, all the way down", () => {
  const config = loadConfig({});
  expect(Object.isFrozen(config)).toBe(true);
  expect(Object.isFrozen(config.listen)).toBe(true);
  expect(Object.isFrozen(config.passwordHash)).toBe(true);
});

test("an inspection says where each value comes from and shows no secret", () => {
  const CONFIG_FILE = write("settings.yaml", "PORT: 4000\n");
  const { faults, settings } = inspectConfig({ ...PRODUCTION, CONFIG_FILE });
  expect(faults).toEqual([]);
  expect(settings).toContainEqual({ key: "PORT", value: "4000", origin: "file" });
  expect(settings).toContainEqual({ key: "HOST", value: "127.0.0.1", origin: "default" });
  expect(settings).toContainEqual({ key: "DATABASE_URL", value: "set", origin: "environment" });
  expect(settings).toContainEqual({ key: "REDIS_URL", value: undefined, origin: "default" });
  expect(JSON.stringify(settings)).not.toContain(SECRET);
});

describe("metrics and traces", () => {
  test("are off unless they are asked for", () => {
    expect(loadConfig({})).toMatchObject({ metrics: undefined, traces: undefined });
  });

  test("metrics are read on loopback at a port of their own", () => {
    expect(loadConfig({ METRICS_PORT: "9464" }).metrics).toEqual({ host: "127.0.0.1", port: 9464 });
    expect(faultsOf({ METRICS_PORT: "3000" })).toEqual(["METRICS_PORT is the same as PORT"]);
    expect(faultsOf({ METRICS_PORT: "0" })).toEqual(["METRICS_PORT is not a port number"]);
  });

  test("traces go to the collector's path for them, with its headers decoded", () => {
    const environment = {
      OTEL_EXPORTER_OTLP_ENDPOINT: "http://collector:4318/",
      OTEL_EXPORTER_OTLP_HEADERS: "authorization=Bearer%20abc==, x-tenant=7",
      OTEL_TRACES_SAMPLER_ARG: "0.25",
    };
    expect(loadConfig(environment).traces).toEqual({
      url: "http://collector:4318/v1/traces",
      headers: { authorization: "Bearer abc==", "x-tenant": "7" },
      serviceName: "latchkey",
      samplingRatio: 0.25,
    });
  });

  test.each([
    ["OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4318", "does not begin with http:// or https://"],
    ["OTEL_EXPORTER_OTLP_HEADERS", "no pair", "is not a list of name=value"],
    ["OTEL_EXPORTER_OTLP_HEADERS", "name=a%0d%0ax-other: b", "is not a list of name=value"],
    ["OTEL_EXPORTER_OTLP_HEADERS", "name=100%", "is not a list of name=value"],
    ["OTEL_TRACES_SAMPLER_ARG", "1.5", "is not a number from 0 to 1"],
    ["OTEL_TRACES_SAMPLER_ARG", "-1", "is not a number from 0 to 1"],
  ])("%s=%s %s", (key, value, problem) => {
    expect(faultsOf({ [key]: value })).toEqual([`${key} ${problem}`]);
  });

  test("the collector's headers are never shown", () => {
    const { settings } = inspectConfig({ OTEL_EXPORTER_OTLP_HEADERS: "authorization=hunter2" });
    expect(JSON.stringify(settings)).not.toContain("hunter2");
  });
});
