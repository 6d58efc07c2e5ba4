import type { SettingInForce } from "../config/index.ts";
import { createAuthenticator } from "../core/index.ts";

/** A node's configuration in a form that may lie in the database: compared with others, and without a secret. */
export interface Fingerprint {
  /** Settings that are no secrets, as they are. What is not here has its default. */
  readonly plain: Readonly<Record<string, string>>;
  /** Digests of the others, one under each secret of the node, by that secret's name. */
  readonly secret: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** The names of the secrets in `LATCHKEY_SECRET`, newest first. */
  readonly secretNames: readonly string[];
}

/** Enough to tell a handful of values from each other; too little to look one up by. */
const DIGEST_LETTERS = 12;
const PURPOSE = "node-setting";

/**
 * Secrets become digests under keys that are derived from `LATCHKEY_SECRET`: whoever has a copy of the database, and not
 * that secret, cannot try passwords against them. There is one digest for each secret of the list, so that nodes in the
 * midst of changing it have one in common.
 *
 * @param secrets newest first; of the data directory in embedded mode.
 */
export function takeFingerprint(settings: readonly SettingInForce[], secrets: readonly string[]): Fingerprint {
  const keyrings = secrets.map((secret) => {
    const authenticator = createAuthenticator([secret]);
    const digest = (text: string): string => authenticator.digest(PURPOSE, text).slice(0, DIGEST_LETTERS);
    return { name: digest("LATCHKEY_SECRET"), digest };
  });
  const compared = settings.filter(({ key }) => key !== "LATCHKEY_SECRET");
  const digestsOf = ({ key, values }: SettingInForce): Readonly<Record<string, string>> =>
    Object.fromEntries(keyrings.map(({ name, digest }) => [name, digest(`${key}=${values.join(",")}`)]));
  return {
    plain: Object.fromEntries(compared.filter(isPlain).map(({ key, values }) => [key, values.join(",")])),
    secret: Object.fromEntries(compared.filter((one) => !isPlain(one)).map((one) => [one.key, digestsOf(one)])),
    secretNames: keyrings.map(({ name }) => name),
  };
}

function isPlain({ isSecret }: SettingInForce): boolean {
  return !isSecret;
}
