import { isTrustworthy } from "../browser-cookies.ts";
import type { Deployment } from "../deployment.ts";
import { failure, type Finding, ok, warning, whenSeen } from "../finding.ts";

const DAY_MS = 24 * 60 * 60 * 1_000;
const DAYS_LEFT_MIN = 14;

export function checkTls({ config, certificate, nowMs }: Deployment): readonly Finding[] {
  if (certificate === undefined) {
    return [
      isTrustworthy(config.issuer)
        ? ok("tls", "The issuer is not https, which only this machine may use.")
        : failure(
            "tls",
            "The issuer is not https: everything can be read on the way.",
            "Put a proxy with TLS in front.",
          ),
    ];
  }
  return whenSeen("tls", certificate, ({ refusal, validToMs }) => {
    const daysLeft = Math.floor((validToMs - nowMs) / DAY_MS);
    if (refusal !== undefined) {
      const remedy =
        "Mend the certificate, its chain or its name. For an authority of your own set NODE_EXTRA_CA_CERTS.";
      return [failure("tls", `Clients refuse the certificate (${refusal}).`, remedy)];
    }
    return daysLeft < DAYS_LEFT_MIN
      ? [warning("tls", `The certificate is valid for ${daysLeft} days more.`, "See why it has not been renewed.")]
      : [ok("tls", `The certificate is accepted, and valid for ${daysLeft} days more.`)];
  });
}
