import { createServer } from "node:net";
import { once } from "node:events";
import { describe, expect, onTestFinished, test } from "vitest";
import { headerOf, type MailServerOptions, partOf, startMailServer, theMail } from "../../test/support/mail-server.ts";
import { createSmtpTransport, type SmtpTransportDeps } from "./smtp-transport.ts";
import type { MailMessage, SendResult } from "./transport.ts";

const clock = { nowMs: () => Date.UTC(2026, 0, 2, 3, 4, 5) };
const untilDone = new AbortController().signal;

const message: MailMessage = {
  id: "AAECAwQFBgcICQoLDA0ODw",
  to: "alice@example.com",
  locale: "fr",
  subject: "Nouvelle clé d’accès",
  text: "Une clé d’accès a été ajoutée.\n",
  html: "<!doctype html>\n<p>Une clé d’accès a été ajoutée.</p>\n",
};

async function startScene(options: MailServerOptions = {}, changes: Partial<SmtpTransportDeps> = {}) {
  const server = await startMailServer(options);
  onTestFinished(() => server.close());
  return { server, transport: transportTo(server.port, changes) };
}

function transportTo(port: number, changes: Partial<SmtpTransportDeps> = {}) {
  return createSmtpTransport({
    server: { host: "127.0.0.1", port, tls: "none", credentials: undefined },
    from: { name: "Example ID", address: "id@example.com" },
    hostName: "id.example.com",
    clock,
    ...changes,
  });
}

test("a mail arrives with text and HTML, its headers, and nothing that names our software", async () => {
  const { server, transport } = await startScene();
  expect(await transport.send(message, untilDone)).toEqual({ type: "accepted" });
  const mail = theMail(server);
  const headers = ["From", "To", "Message-ID", "Date", "Auto-Submitted", "Content-Language", "X-Mailer"];
  expect(headers.map((name) => headerOf(mail, name))).toEqual([
    "Example ID <id@example.com>",
    "alice@example.com",
    "<AAECAwQFBgcICQoLDA0ODw@id.example.com>",
    "Fri, 02 Jan 2026 03:04:05 +0000",
    "auto-generated",
    "fr",
    undefined,
  ]);
  expect(headerOf(mail, "Content-Type")).toMatch(/^multipart\/alternative;/);
  expect(partOf(mail, "text/plain").trim()).toBe(message.text.trim());
  expect(partOf(mail, "text/html").replaceAll("\r\n", "\n").trim()).toBe(message.html.trim());
});

describe("nobody adds a header or a recipient [ASVS 1.3.11]", () => {
  test.each([
    ["a brand", {}, { from: { name: "Evil\r\nBcc: mallory@example.com", address: "id@example.com" } }],
    ["a brand with an address", {}, { from: { name: "x <mallory@example.com>, y", address: "id@example.com" } }],
    ["a subject", { subject: "Hello\r\nBcc: mallory@example.com\r\n\r\nbody" }, {}],
    ["a language", { locale: "en\r\nBcc: mallory@example.com" }, {}],
  ])("by %s", async (_, changes: Partial<MailMessage>, deps: Partial<SmtpTransportDeps>) => {
    const { server, transport } = await startScene({}, deps);
    await transport.send({ ...message, ...changes }, untilDone);
    const mail = theMail(server);
    expect(mail.to).toEqual(["alice@example.com"]);
    expect(mail.from).toBe("id@example.com");
    expect(headerOf(mail, "Bcc")).toBeUndefined();
    expect(headerOf(mail, "To")).toBe("alice@example.com");
    expect(headerOf(mail, "From")).toMatch(/<id@example\.com>$/);
  });

  test.each([
    "alice@example.com\r\nRCPT TO:<mallory@example.com>",
    "alice@example.com>\r\n",
    "alice@example.com, mallory@example.com",
    "friends:alice@example.com,mallory@example.com;",
    '"alice@example.com,mallory@example.com"@example.com',
  ])("by an address such as %j", async (to) => {
    const { server, transport } = await startScene();
    await transport.send({ ...message, to }, untilDone);
    expect(server.received.flatMap((mail) => mail.to)).not.toContain("mallory@example.com");
  });
});

describe("what a server answers", () => {
  test.each([
    ["refuses the recipient for good", { onRecipient: () => 550 }, { type: "refused", reason: "status_550" }],
    ["puts the recipient off", { onRecipient: () => 450 }, { type: "failed", reason: "status_450" }],
    ["refuses the mail for good", { onData: () => 554 }, { type: "refused", reason: "status_554" }],
    ["puts the mail off", { onData: () => 451 }, { type: "failed", reason: "status_451" }],
    ["wants credentials", { credentials: { user: "a", password: "b" } }, { type: "failed", reason: "status_530" }],
  ] satisfies readonly (readonly [string, MailServerOptions, SendResult])[])("%s", async (_, options, result) => {
    const { transport } = await startScene(options);
    expect(await transport.send(message, untilDone)).toEqual(result);
  });

  test("one that never answers is left when the time is up, or the process ends", async () => {
    const { port } = await startSilent();
    expect(await transportTo(port, { sendTimeoutMs: 50 }).send(message, untilDone)).toEqual({
      type: "failed",
      reason: "etimedout",
    });
    expect(await transportTo(port).send(message, AbortSignal.abort())).toMatchObject({ type: "failed" });
  });

  test("one that is not there has nothing of it", async () => {
    const silent = await startSilent();
    await silent.close();
    expect(await transportTo(silent.port).send(message, untilDone)).toMatchObject({ type: "failed" });
  });
});

async function startSilent() {
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const close = async (): Promise<void> => void (server.listening && server.close());
  onTestFinished(close);
  const address = server.address();
  return { port: typeof address === "object" && address !== null ? address.port : 0, close };
}

describe("looking at the way out", () => {
  const credentials = { user: "latchkey", password: "right" };
  const server = (port: number, changes: object) => ({
    server: { host: "127.0.0.1", port, tls: "none", credentials: undefined, ...changes } as const,
  });

  test("signs in and sends nothing", async () => {
    const scene = await startScene({ credentials });
    expect(await transportTo(0, server(scene.server.port, { credentials })).look()).toEqual({ type: "open" });
    expect(scene.server.received).toEqual([]);
  });

  test("tells wrong credentials from a server that is away", async () => {
    const scene = await startScene({ credentials });
    const wrong = { ...credentials, password: "wrong" };
    expect(await transportTo(0, server(scene.server.port, { credentials: wrong })).look()).toEqual({
      type: "unauthenticated",
      reason: "status_535",
    });
    const silent = await startSilent();
    await silent.close();
    expect(await transportTo(silent.port).look()).toMatchObject({ type: "unreachable" });
  });

  test("does without nothing: a server without TLS, or with a certificate of nobody's, is not used", async () => {
    const plain = await startScene();
    const starttls = transportTo(0, server(plain.server.port, { tls: "starttls" }));
    expect(await starttls.send(message, untilDone)).toMatchObject({ type: "failed" });
    expect(await starttls.look()).toMatchObject({ type: "untrusted" });
    const selfSigned = await startScene({ tls: { secure: true } });
    const implicit = transportTo(0, server(selfSigned.server.port, { tls: "implicit" }));
    expect(await implicit.look()).toMatchObject({ type: "untrusted" });
    expect([...plain.server.received, ...selfSigned.server.received]).toEqual([]);
  });
});
