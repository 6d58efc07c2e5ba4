import { expect, test } from "vitest";
import { loadConfig } from "../config/index.ts";
import { takeFingerprint } from "./fingerprint.ts";

const OLD = "an-older-secret-of-32-bytes-or-more-0123456789";
const NEW = "a-newer-secret-of-32-bytes-or-more-ABCDEFGHIJK";
const SETTINGS = {
  ISSUER: "https://id.example.com",
  DATABASE_URL: "postgres://latchkey:hunter2@db.example.com/latchkey",
  REDIS_URL: "redis://:hunter3@redis.example.com",
  OTEL_EXPORTER_OTLP_ENDPOINT: "https://me:hunter4@collector.example.com",
  LATCHKEY_SECRET: OLD,
  SESSION_IDLE_SECONDS: "3600",
};

function fingerprintOf(settings: Readonly<Record<string, string>>) {
  const config = loadConfig({ ...SETTINGS, ...settings });
  return takeFingerprint(config.settings, config.secrets);
}

test("what differs from the default is there as it is, and what does not is left out", () => {
  const { plain } = fingerprintOf({ REGISTRATION: "open", TRUSTED_PROXIES: "10.0.0.0/8, fd00::/8" });
  expect(plain).toEqual({
    ISSUER: "https://id.example.com",
    SESSION_IDLE_SECONDS: "3600",
    TRUSTED_PROXIES: "10.0.0.0/8,fd00::/8",
  });
});

test("no secret and no URL with credentials is in it", () => {
  const fingerprint = fingerprintOf({});
  expect(Object.keys(fingerprint.secret).toSorted()).toEqual([
    "DATABASE_URL",
    "OTEL_EXPORTER_OTLP_ENDPOINT",
    "REDIS_URL",
  ]);
  expect(JSON.stringify(fingerprint)).not.toMatch(/hunter|example\.com\/latchkey|collector|older-secret/);
});

test("alike values have alike digests, and others have others", () => {
  const digests = (settings: Readonly<Record<string, string>>) => fingerprintOf(settings).secret["REDIS_URL"];
  expect(digests({})).toEqual(digests({}));
  expect(digests({ REDIS_URL: "redis://:hunter5@redis.example.com" })).not.toEqual(digests({}));
});

test("a copy of the database does not let anybody try passwords: without our secret the digests are others", () => {
  expect(fingerprintOf({ LATCHKEY_SECRET: NEW }).secret).not.toEqual(fingerprintOf({}).secret);
});

test("nodes in the midst of changing the secret can be compared by the one that they share", () => {
  const [before, between] = [fingerprintOf({}), fingerprintOf({ LATCHKEY_SECRET: `${NEW},${OLD}` })];
  const [shared = ""] = before.secretNames;
  expect(between.secretNames).toEqual([expect.not.stringContaining(shared), shared]);
  expect(between.secret["DATABASE_URL"]?.[shared]).toBe(before.secret["DATABASE_URL"]?.[shared]);
});
