import type SMTPConnection from "nodemailer/lib/smtp-connection";
import type { MailSender, SmtpServer } from "../config/index.ts";
import type { Clock } from "../core/index.ts";
import type { MailMessage, MailTransport, SendResult, WayOut } from "./transport.ts";

const CONNECT_TIMEOUT_MS = 5_000;
const GREETING_TIMEOUT_MS = 10_000;
/** Of silence. A server may look long at a mail before it takes it. */
const SILENCE_TIMEOUT_MS = 30_000;
/** For a mail as a whole: a server that sends a byte now and then is never silent. */
export const SEND_TIMEOUT_MS = 60_000;
const LOOK_TIMEOUT_MS = 8_000;

export interface SmtpTransportDeps {
  readonly server: SmtpServer;
  readonly from: { readonly name: string; readonly address: MailSender["address"] };
  /** What we call ourselves, there and in each Message-ID: the issuer's host. */
  readonly hostName: string;
  readonly clock: Clock;
  readonly sendTimeoutMs?: number;
}

export interface SmtpTransport extends MailTransport {
  /** Signs in at the server, and leaves. */
  look(): Promise<WayOut>;
}

/** Each mail has a connection of its own: one that hangs is cut off without a doubt about any other. */
export function createSmtpTransport(deps: SmtpTransportDeps): SmtpTransport {
  const { from, sendTimeoutMs = SEND_TIMEOUT_MS } = deps;
  return {
    async send(message, signal) {
      try {
        const source = await compose(deps, message);
        const deadline = AbortSignal.any([signal, AbortSignal.timeout(sendTimeoutMs)]);
        await converse(deps, deadline, (connection) =>
          // The envelope is ours: nothing is read out of a header.
          answerOf((done) => connection.send({ from: from.address, to: [message.to] }, source, done)),
        );
        return { type: "accepted" };
      } catch (error) {
        return judge(error);
      }
    },
    async look() {
      try {
        await converse(deps, AbortSignal.timeout(LOOK_TIMEOUT_MS), async () => undefined);
        return { type: "open" };
      } catch (error) {
        return { type: typeOf(error), reason: reasonOf(error) };
      }
    },
  };
}

async function compose({ from, hostName, clock }: SmtpTransportDeps, message: MailMessage): Promise<Buffer> {
  // Imported here, as below: who sends no mail does not load what sends it.
  const { default: MailComposer } = await import("nodemailer/lib/mail-composer");
  const { id, to, subject, text, html, locale } = message;
  const composer = new MailComposer({
    from,
    // As parts, which are not searched for further addresses.
    to: { name: "", address: to },
    subject,
    text,
    html,
    messageId: `<${id}@${hostName}>`,
    date: new Date(clock.nowMs()),
    // Nobody's holiday note is to answer (RFC 3834).
    headers: { "Auto-Submitted": "auto-generated", "X-Auto-Response-Suppress": "All", "Content-Language": locale },
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  return composer.compile().build();
}

/** Connects, signs in where there is something to sign in with, and says what there is to say. */
async function converse(
  { server, hostName }: SmtpTransportDeps,
  deadline: AbortSignal,
  talk: (connection: SMTPConnection) => Promise<unknown>,
): Promise<void> {
  const { default: Connection } = await import("nodemailer/lib/smtp-connection");
  const connection = new Connection({
    host: server.host,
    port: server.port,
    name: hostName,
    secure: server.tls === "implicit",
    requireTLS: server.tls === "starttls",
    ignoreTLS: server.tls === "none",
    tls: { minVersion: "TLSv1.2" },
    connectionTimeout: CONNECT_TIMEOUT_MS,
    dnsTimeout: CONNECT_TIMEOUT_MS,
    greetingTimeout: GREETING_TIMEOUT_MS,
    socketTimeout: SILENCE_TIMEOUT_MS,
  });
  const broken = breakOf(connection, deadline);
  try {
    await Promise.race([answerOf((done) => connection.connect(done)), broken]);
    const { credentials } = server;
    if (credentials !== undefined) {
      const { user, password: pass } = credentials;
      await Promise.race([answerOf((done) => connection.login({ user, pass }, done)), broken]);
    }
    await Promise.race([talk(connection), broken]);
    connection.quit();
  } catch (error) {
    connection.close();
    throw error;
  }
}

/** Rejects when the connection is no more, or the time is up. Errors that come later are nobody's. */
function breakOf(connection: SMTPConnection, deadline: AbortSignal): Promise<never> {
  const broken = new Promise<never>((_, reject) => {
    connection.on("error", reject);
    connection.once("end", () => reject(new Error("the connection ended")));
    const giveUp = (): void => reject(Object.assign(new Error("too late"), { code: "ETIMEDOUT" }));
    if (deadline.aborted) giveUp();
    deadline.addEventListener("abort", giveUp);
  });
  broken.catch(() => undefined);
  return broken;
}

function answerOf<Answer>(
  ask: (done: (error?: Error | null, answer?: Answer) => void) => void,
): Promise<Answer | undefined> {
  return new Promise((resolve, reject) => {
    ask((error, answer) => (error ? reject(error) : resolve(answer)));
  });
}

/** What the library says of an error. Its message repeats what the server said, which may name the person. */
interface SmtpFailure {
  readonly code?: unknown;
  /** What the system called it, under the library's own word. */
  readonly originalCode?: unknown;
  readonly responseCode?: unknown;
  readonly command?: unknown;
}

function failureOf(error: unknown): SmtpFailure {
  return typeof error === "object" && error !== null ? error : {};
}

/**
 * A 5xx for the recipient or the mail is for good (RFC 5321, section 4.2.1). One for who we are (credentials, sender,
 * greeting) is an operator's to mend, and no reason to lose what waits.
 */
function judge(error: unknown): SendResult {
  const { responseCode, command } = failureOf(error);
  const isForGood = typeof responseCode === "number" && responseCode >= 500;
  const isOfMail = command === "RCPT TO" || command === "DATA";
  return { type: isForGood && isOfMail ? "refused" : "failed", reason: reasonOf(error) };
}

function reasonOf(error: unknown): string {
  const { code: ours, originalCode, responseCode } = failureOf(error);
  if (typeof responseCode === "number") return `status_${responseCode}`;
  const code = originalCode ?? ours;
  return typeof code === "string" ? code.toLowerCase() : "connection_lost";
}

function typeOf(error: unknown): Exclude<WayOut["type"], "open"> {
  const { code, originalCode } = failureOf(error);
  if (code === "EAUTH" || code === "ENOAUTH") return "unauthenticated";
  const isOfCertificate = typeof originalCode === "string" && /CERT|SIGNATURE|ISSUER/.test(originalCode);
  return code === "ETLS" || isOfCertificate ? "untrusted" : "unreachable";
}
