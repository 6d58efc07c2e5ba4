import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { SMTPServer, type SMTPServerOptions } from "smtp-server";

/** A mail as the server took it. */
export interface ReceivedMail {
  readonly from: string;
  readonly to: readonly string[];
  /** All of it, as it came over the wire. */
  readonly source: string;
}

export interface MailServerOptions {
  /** What the server says to a recipient; it takes everybody when absent. */
  readonly onRecipient?: (address: string) => number | "hang" | undefined;
  /** What it says to the mail itself, after having read it. */
  readonly onData?: () => number | undefined;
  /** Asked of whoever sends, if given. */
  readonly credentials?: { readonly user: string; readonly password: string };
  readonly port?: number;
  readonly tls?: Pick<SMTPServerOptions, "key" | "cert" | "secure">;
}

export interface MailServer {
  /** Of loopback, where nothing asks for TLS. */
  readonly url: string;
  readonly port: number;
  readonly received: ReceivedMail[];
  close(): Promise<void>;
}

/** A real SMTP server of this process, on a port of its own. */
export async function startMailServer(options: MailServerOptions = {}): Promise<MailServer> {
  const { onRecipient, onData, credentials, tls } = options;
  const received: ReceivedMail[] = [];
  const server = new SMTPServer({
    ...tls,
    disabledCommands: tls === undefined ? ["STARTTLS"] : [],
    authOptional: credentials === undefined,
    allowInsecureAuth: true,
    closeTimeout: 100,
    onAuth({ username, password }, _session, done) {
      const isRight = username === credentials?.user && password === credentials?.password;
      if (isRight) done(null, { user: username });
      else done(refusal(535));
    },
    onRcptTo({ address }, _session, done) {
      const answer = onRecipient?.(address);
      if (answer === "hang") return;
      done(answer === undefined ? null : refusal(answer));
    },
    onData(stream, { envelope }, done) {
      const chunks: Buffer[] = [];
      stream.on("data", (chunk: Buffer) => chunks.push(chunk));
      stream.on("end", () => {
        const answer = onData?.();
        if (answer !== undefined) return done(refusal(answer));
        const from = envelope.mailFrom === false ? "" : envelope.mailFrom.address;
        const to = envelope.rcptTo.map(({ address }) => address);
        received.push({ from, to, source: Buffer.concat(chunks).toString() });
        done(null);
      });
    },
  });
  // What a client breaks off is no failure of a test.
  server.on("error", () => undefined);
  server.listen(options.port ?? 0, "127.0.0.1");
  await once(server.server, "listening");
  const { port } = server.server.address() as AddressInfo;
  const close = (): Promise<void> => new Promise((resolve) => server.close(() => resolve()));
  return { url: `smtp://127.0.0.1:${port}`, port, received, close };
}

function refusal(responseCode: number): Error {
  return Object.assign(new Error("refused, says the test"), { responseCode });
}

/** The one mail that the server took. @throws Error when it took none, or several. */
export function theMail({ received }: MailServer): ReceivedMail {
  const [mail, ...others] = received;
  if (mail === undefined || others.length > 0) throw new Error(`the server took ${received.length} mails`);
  return mail;
}

/** The value of a header, with what was folded put together again. */
export function headerOf({ source }: ReceivedMail, name: string): string | undefined {
  const [head = ""] = source.split("\r\n\r\n", 1);
  const unfolded = head.replace(/\r\n[ \t]+/g, " ");
  const prefix = `${name.toLowerCase()}: `;
  return unfolded
    .split("\r\n")
    .find((line) => line.toLowerCase().startsWith(prefix))
    ?.slice(prefix.length);
}

/** The part of this type, decoded. */
export function partOf({ source }: ReceivedMail, type: "text/plain" | "text/html"): string {
  const boundary = /boundary="([^"]+)"/.exec(source)?.[1] ?? "";
  const part = source.split(`--${boundary}`).find((each) => each.includes(`Content-Type: ${type}`)) ?? "";
  const [head = "", ...body] = part.split("\r\n\r\n");
  const encoded = body.join("\r\n\r\n");
  if (/base64/i.test(head)) return Buffer.from(encoded, "base64").toString();
  const octets = encoded.replace(/=\r\n/g, "").replace(/=([0-9A-F]{2})/g, (_, hex: string) => `%${hex}`);
  return /quoted-printable/i.test(head) ? Buffer.from(unescape(octets), "latin1").toString() : encoded;
}
