import { z } from "zod";
import { isLoopbackOrigin } from "./loopback.ts";

/** Where mails come from. */
export interface MailSender {
  /** What mail programs show; the name of the brand when absent. */
  readonly name: string | undefined;
  readonly address: string;
}

/** An SMTP server that takes our mails. */
export interface SmtpServer {
  readonly host: string;
  readonly port: number;
  /** `implicit`: from the first byte. `starttls`: asked for, and nothing is sent without it. `none`: never. */
  readonly tls: "implicit" | "starttls" | "none";
  readonly credentials: { readonly user: string; readonly password: string } | undefined;
}

/** What becomes of mails. */
export type MailConfig =
  /** They leave. */
  | { readonly mode: "smtp"; readonly server: SmtpServer; readonly from: MailSender }
  /** They stay, to be read at `/dev/mail`: embedded mode, reached by loopback. */
  | { readonly mode: "mailbox"; readonly from: MailSender }
  /** Nobody gets any. */
  | { readonly mode: "off"; readonly meaning: string };

const PORTS = { implicit: 465, starttls: 587, none: 25 } as const;

/** `undefined` when the address has no host, or more than a mail server needs. */
function parseMailUrl(text: string): SmtpServer | undefined {
  const [, scheme = "", rest = ""] = /^(smtps?|smtp\+insecure):\/\/(.+)$/i.exec(text) ?? [];
  // Read as an address of FTP, which has the same parts: the host of a scheme that it does not know URL does not check.
  if (!URL.canParse(`ftp://${rest}`)) return undefined;
  const url = new URL(`ftp://${rest}`);
  if (!/^\/?$/.test(url.pathname) || url.search !== "" || url.hash !== "") return undefined;
  const host = url.hostname.replace(/^\[|\]$/g, "");
  const tls = tlsOf(scheme.toLowerCase(), url.origin);
  const credentials = credentialsOf(url);
  if (credentials === "broken") return undefined;
  return { host, port: url.port === "" ? PORTS[tls] : Number(url.port), tls, credentials };
}

/** Between two processes of one machine there is nobody to listen. */
function tlsOf(scheme: string, origin: string): SmtpServer["tls"] {
  if (scheme === "smtps") return "implicit";
  return scheme === "smtp+insecure" || isLoopbackOrigin(origin) ? "none" : "starttls";
}

function credentialsOf({ username, password }: URL): SmtpServer["credentials"] | "broken" {
  if (username === "" && password === "") return undefined;
  try {
    return { user: decodeURIComponent(username), password: decodeURIComponent(password) };
  } catch {
    return "broken";
  }
}

const ADDRESS = /^[\w.!#$%&'*+/=?^`{|}~-]+@(?:[a-z0-9-]+\.)*[a-z0-9-]+$/i;
// oxlint-disable-next-line no-control-regex -- it is they that would begin another header
const UNPRINTABLE = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/;

/** `id@example.com` or `Example ID <id@example.com>`. */
function parseMailFrom(text: string): MailSender | undefined {
  if (UNPRINTABLE.test(text)) return undefined;
  const [, quoted = "", address = ""] = /^([^<>]*?)\s*<([^<>]+)>$/.exec(text.trim()) ?? ["", "", text.trim()];
  const name = quoted.replace(/^"(.*)"$/, "$1");
  if (!ADDRESS.test(address) || address.length > 254 || name.length > 100) return undefined;
  return { name: name === "" ? undefined : name, address };
}

export const mailServer = z
  .string()
  .transform((text) => parseMailUrl(text))
  .refine((server) => server !== undefined, "is not an address such as smtps://user:password@mail.example.com:465")
  .optional();

export const mailSender = z
  .string()
  .transform((text) => parseMailFrom(text))
  .refine((sender) => sender !== undefined, "is not a sender such as Example ID <id@example.com>")
  .optional();

const WITHOUT_SERVER =
  "MAIL_URL is not set, so that no mail is sent: people are not told of new devices, a changed password and the like, and what needs mail is not offered.";
const NOT_ON_THIS_MACHINE =
  "ISSUER does not lead to this machine, so that others could read the mailbox at /dev/mail: there is none, and without MAIL_URL no mail is sent.";

export function decideMail(values: {
  readonly server: SmtpServer | undefined;
  readonly from: MailSender | undefined;
  readonly isEmbedded: boolean;
  readonly issuer: string;
}): MailConfig {
  const { server, from, isEmbedded, issuer } = values;
  if (server !== undefined && from !== undefined) return { mode: "smtp", server, from };
  if (!isEmbedded) return { mode: "off", meaning: WITHOUT_SERVER };
  if (!isLoopbackOrigin(issuer)) return { mode: "off", meaning: NOT_ON_THIS_MACHINE };
  return { mode: "mailbox", from: from ?? { name: undefined, address: "no-reply@localhost" } };
}
