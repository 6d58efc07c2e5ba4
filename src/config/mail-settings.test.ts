import { describe, expect, test } from "vitest";
import { ConfigError } from "./config.ts";
import { inspectConfig } from "./inspect-config.ts";
import { loadConfig } from "./load-config.ts";

const PRODUCTION = {
  DATABASE_URL: "postgres://latchkey@db.example.com/latchkey",
  ISSUER: "https://id.example.com",
  LATCHKEY_SECRET: "0123456789abcdefghijklmnopqrstuvwxyz",
};
const FROM = { MAIL_FROM: "Example ID <id@example.com>" };

function faultsOf(environment: Readonly<Record<string, string>>): readonly string[] {
  try {
    loadConfig(environment);
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.faults.map(({ key, problem }) => `${key} ${problem}`);
    throw error;
  }
}

describe("the mail server", () => {
  test.each([
    ["smtps://mail.example.com", { host: "mail.example.com", port: 465, tls: "implicit", credentials: undefined }],
    ["smtp://mail.example.com", { port: 587, tls: "starttls" }],
    ["smtp://mail.example.com:80", { port: 80, tls: "starttls" }],
    ["smtp+insecure://relay", { host: "relay", port: 25, tls: "none" }],
    ["smtp://127.0.0.1:1025", { host: "127.0.0.1", port: 1025, tls: "none" }],
    ["smtp://[::1]:1025", { host: "::1", tls: "none" }],
    ["smtps://localhost", { port: 465, tls: "implicit" }],
    [
      "smtps://user%40example.com:p%3Ass@mail.example.com",
      { credentials: { user: "user@example.com", password: "p:ss" } },
    ],
  ])("%s is read", (MAIL_URL, server) => {
    const { mail } = loadConfig({ ...PRODUCTION, ...FROM, MAIL_URL });
    expect(mail).toMatchObject({ mode: "smtp", server, from: { name: "Example ID", address: "id@example.com" } });
  });

  test.each([
    "mail.example.com",
    "https://mail.example.com",
    "smtp://",
    "smtp://mail/path",
    "smtp://a:%zz@mail",
    "smtp://m?x=1",
  ])("%s is none", (MAIL_URL) => {
    const faults = faultsOf({ ...PRODUCTION, ...FROM, MAIL_URL });
    expect(faults).toEqual([expect.stringMatching(/^MAIL_URL is not an address such as smtps:/)]);
  });
});

describe("the sender", () => {
  const senderOf = (MAIL_FROM: string) => {
    const { mail } = loadConfig({ ...PRODUCTION, MAIL_URL: "smtps://mail.example.com", MAIL_FROM });
    return mail.mode === "off" ? undefined : mail.from;
  };

  test("has a name or none", () => {
    expect(senderOf("id@example.com")).toEqual({ name: undefined, address: "id@example.com" });
    expect(senderOf('"Example, Inc." <id@example.com>')).toEqual({ name: "Example, Inc.", address: "id@example.com" });
  });

  test.each(["nobody", "a@b@c", "id@example.com, x@example.com", "Evil\nBcc: x <id@example.com>", "x <a@b> <c@d>"])(
    "%j is none",
    (MAIL_FROM) => {
      expect(faultsOf({ ...PRODUCTION, MAIL_URL: "smtps://mail.example.com", MAIL_FROM })).toEqual([
        "MAIL_FROM is not a sender such as Example ID <id@example.com>",
      ]);
    },
  );

  test("is needed where mail is sent", () => {
    expect(faultsOf({ ...PRODUCTION, MAIL_URL: "smtps://mail.example.com" })).toEqual([
      "MAIL_FROM is missing, and MAIL_URL without it is not enough to send mail",
    ]);
  });
});

describe("without a mail server", () => {
  test("a deployment sends nothing, and config check says what that means", () => {
    const { mail } = loadConfig(PRODUCTION);
    expect(mail).toMatchObject({ mode: "off", meaning: expect.stringContaining("no mail is sent") });
    expect(inspectConfig(PRODUCTION).warnings).toEqual([expect.stringContaining("people are not told")]);
    expect(inspectConfig({ ...PRODUCTION, ...FROM, MAIL_URL: "smtps://mail.example.com" }).warnings).toEqual([]);
  });

  test("embedded mode keeps mails in its mailbox, on this machine only", () => {
    expect(loadConfig({}).mail).toMatchObject({ mode: "mailbox" });
    expect(inspectConfig({}).warnings).toEqual([]);
    expect(loadConfig({ ISSUER: "https://id.example.com" }).mail).toMatchObject({ mode: "off" });
    expect(inspectConfig({ ISSUER: "https://id.example.com" }).warnings).toEqual([
      expect.stringContaining("could read the mailbox"),
    ]);
  });

  test("embedded mode can send them, too", () => {
    expect(loadConfig({ ...FROM, MAIL_URL: "smtp://localhost:1025" }).mail).toMatchObject({ mode: "smtp" });
  });
});

describe("proving the email", () => {
  const MAIL = { ...FROM, MAIL_URL: "smtps://mail.example.com" };

  test("is required where mail is sent, unless an operator says otherwise", () => {
    expect(loadConfig({ ...PRODUCTION, ...MAIL }).verifiesEmail).toBe(true);
    expect(loadConfig({ ...PRODUCTION, ...MAIL, EMAIL_VERIFICATION: "off" }).verifiesEmail).toBe(false);
    expect(loadConfig(PRODUCTION).verifiesEmail).toBe(false);
    expect(loadConfig({}).verifiesEmail).toBe(false);
    expect(loadConfig({ EMAIL_VERIFICATION: "required" }).verifiesEmail).toBe(true);
  });

  test("cannot be required where no mail is sent", () => {
    expect(faultsOf({ ...PRODUCTION, EMAIL_VERIFICATION: "required" })).toEqual([
      "EMAIL_VERIFICATION is required, and no mail is sent without MAIL_URL",
    ]);
  });
});
