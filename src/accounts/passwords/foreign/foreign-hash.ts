/** A password's hash that another system made. */
export type ForeignHash =
  /** The modular crypt format, with `2b` in front. */
  | { readonly algorithm: "bcrypt"; readonly text: string }
  /** The PHC string format, of any kind of argon2. */
  | { readonly algorithm: "argon2"; readonly text: string }
  | ({ readonly algorithm: "scrypt"; readonly cost: ScryptCost } & Digest)
  | ({ readonly algorithm: "pbkdf2"; readonly digest: Pbkdf2Digest; readonly iterations: number } & Digest)
  /** Firebase's: `hash` is the key stream that its signer key was encrypted with (`firebase.ts`). */
  | ({ readonly algorithm: "firebase-scrypt"; readonly cost: ScryptCost } & Digest)
  /** No password at all: one is set by mail. */
  | { readonly algorithm: "none" };

export interface ScryptCost {
  /** N is two to this power. */
  readonly logN: number;
  readonly r: number;
  readonly p: number;
}

export const PBKDF2_DIGESTS = ["sha1", "sha256", "sha512"] as const;
export type Pbkdf2Digest = (typeof PBKDF2_DIGESTS)[number];

interface Digest {
  readonly salt: Buffer;
  readonly hash: Buffer;
}

/** Never the hash of anything. */
const NO_PASSWORD = "!";
const BASE64 = "[A-Za-z0-9+/]+";
const SCRYPT = new RegExp(`^\\$(scrypt|firebase-scrypt)\\$ln=(\\d+),r=(\\d+),p=(\\d+)\\$(${BASE64})\\$(${BASE64})$`);
const PBKDF2 = new RegExp(`^\\$pbkdf2-(sha1|sha256|sha512)\\$i=(\\d+)\\$(${BASE64})\\$(${BASE64})$`);

/** As it is kept in the place of our own hashes, which are of the PHC string format too. */
export function encodeForeignHash(foreign: ForeignHash): string {
  if (foreign.algorithm === "none") return NO_PASSWORD;
  if ("text" in foreign) return foreign.text;
  const digest = `${encode(foreign.salt)}$${encode(foreign.hash)}`;
  if (foreign.algorithm === "pbkdf2") return `$pbkdf2-${foreign.digest}$i=${foreign.iterations}$${digest}`;
  const { logN, r, p } = foreign.cost;
  return `$${foreign.algorithm}$ln=${logN},r=${r},p=${p}$${digest}`;
}

/** `undefined` for what is none of these. */
export function decodeForeignHash(stored: string): ForeignHash | undefined {
  if (stored === NO_PASSWORD) return { algorithm: "none" };
  if (stored.startsWith("$2b$")) return { algorithm: "bcrypt", text: stored };
  if (stored.startsWith("$argon2")) return { algorithm: "argon2", text: stored };
  return decodeScrypt(stored) ?? decodePbkdf2(stored);
}

function decodeScrypt(stored: string): ForeignHash | undefined {
  const [, algorithm, logN, r, p, salt = "", hash = ""] = SCRYPT.exec(stored) ?? [];
  if (algorithm !== "scrypt" && algorithm !== "firebase-scrypt") return undefined;
  const cost = { logN: Number(logN), r: Number(r), p: Number(p) };
  return { algorithm, cost, salt: Buffer.from(salt, "base64"), hash: Buffer.from(hash, "base64") };
}

function decodePbkdf2(stored: string): ForeignHash | undefined {
  const [, name, iterations, salt = "", hash = ""] = PBKDF2.exec(stored) ?? [];
  const digest = PBKDF2_DIGESTS.find((known) => known === name);
  if (digest === undefined) return undefined;
  const octets = { salt: Buffer.from(salt, "base64"), hash: Buffer.from(hash, "base64") };
  return { algorithm: "pbkdf2", digest, iterations: Number(iterations), ...octets };
}

/** Base64 without padding, as PHC strings have it. */
function encode(octets: Buffer): string {
  return octets.toString("base64").replaceAll("=", "");
}
