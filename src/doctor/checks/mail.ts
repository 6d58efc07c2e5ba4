import type { Deployment } from "../deployment.ts";
import { failure, type Finding, ok, warning, whenSeen } from "../finding.ts";

/** Whether mails leave: the mail server answers, is who it says, and takes our credentials. Nothing is sent. */
export function checkMail({ config, mailServer }: Deployment): readonly Finding[] {
  const { mail } = config;
  if (mail.mode === "off") return [warning("mail", mail.meaning, "Set MAIL_URL and MAIL_FROM (docs/mail.md).")];
  if (mail.mode === "mailbox" || mailServer === undefined) {
    return [ok("mail", "Mails are kept, to be read at /dev/mail: this is embedded mode.")];
  }
  const name = `The mail server ${mail.server.host}:${mail.server.port}`;
  return whenSeen("mail", mailServer, (way) => {
    if (way.type === "open") {
      const taken = mail.server.credentials === undefined ? "" : ", and takes our credentials";
      return [ok("mail", `${name} answers${taken}.`)];
    }
    const { meaning, remedy } = TROUBLE[way.type];
    return [
      failure("mail", `${name} ${meaning} (${way.reason}). Mails wait, and are dropped when they are too old.`, remedy),
    ];
  });
}

const TROUBLE = {
  unauthenticated: {
    meaning: "does not take our credentials",
    remedy: "Mend user and password in MAIL_URL; both are in percent-encoding.",
  },
  untrusted: {
    meaning: "has no TLS that we trust",
    remedy:
      "See that its certificate is good for this name (NODE_EXTRA_CA_CERTS for an authority of your own), that smtp:// offers STARTTLS, and that smtps:// is for a port that begins with TLS.",
  },
  unreachable: {
    meaning: "does not answer",
    remedy: "See that it runs, and that MAIL_URL leads to it from here and from all nodes.",
  },
} as const;
