import type { Config } from "../config/index.ts";
import type { Clock } from "../core/index.ts";
import { createSmtpTransport, type SmtpTransport } from "./smtp-transport.ts";

/** The way to the mail server; `undefined` where none is configured. */
export function createConfiguredSmtp(
  { mail, issuer, brand }: Pick<Config, "mail" | "issuer" | "brand">,
  clock: Clock,
): SmtpTransport | undefined {
  if (mail.mode !== "smtp") return undefined;
  const { server, from } = mail;
  const sender = { name: from.name ?? brand.name, address: from.address };
  return createSmtpTransport({ server, from: sender, hostName: new URL(issuer).hostname, clock });
}
