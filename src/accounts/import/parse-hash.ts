import { z } from "zod";
import { costFault } from "../passwords/foreign/cost-limits.ts";
import { type FirebaseParameters, keyStreamOf } from "../passwords/foreign/firebase.ts";
import type { ForeignHash } from "../passwords/foreign/foreign-hash.ts";

const TEXT_CHARACTERS_MAX = 1_000;
const wholeNumber = z.int("is not a whole number");
const text = z.string("is not text").max(TEXT_CHARACTERS_MAX, "is too long");
const encoding = z.enum(["base64", "hex"], "is neither base64 nor hex").default("base64");

const written = {
  hash: text,
  salt: text,
  encoding,
  saltEncoding: z.enum(["base64", "hex", "utf8"], "is neither base64 nor hex nor utf8").optional(),
};

const ALGORITHMS = "is none of pbkdf2-sha1, pbkdf2-sha256, pbkdf2-sha512, scrypt and firebase-scrypt";

/** A hash in words, for what has no text format of its own. */
const hashInWords = z.discriminatedUnion(
  "algorithm",
  [
    z.strictObject({ algorithm: z.literal("pbkdf2-sha1"), iterations: wholeNumber, ...written }),
    z.strictObject({ algorithm: z.literal("pbkdf2-sha256"), iterations: wholeNumber, ...written }),
    z.strictObject({ algorithm: z.literal("pbkdf2-sha512"), iterations: wholeNumber, ...written }),
    z.strictObject({ algorithm: z.literal("scrypt"), N: wholeNumber, r: wholeNumber, p: wholeNumber, ...written }),
    z.strictObject({ algorithm: z.literal("firebase-scrypt"), ...written }),
  ],
  ALGORITHMS,
);

type HashInWords = z.infer<typeof hashInWords>;

export const writtenHash = z.union([text, hashInWords], "is neither a hash in a known text format nor one in words");

/** A hash that can be verified, or why this one cannot. The words hold nothing of it. */
export type ParsedHash =
  | { readonly kind: "hash"; readonly foreign: ForeignHash }
  | { readonly kind: "fault"; readonly problem: string };

/** @param firebase the project's parameters, where they were given. */
export function parseHash(
  given: string | HashInWords | undefined,
  firebase: FirebaseParameters | undefined,
): ParsedHash {
  const foreign = given === undefined ? ({ algorithm: "none" } as const) : read(given, firebase);
  if (typeof foreign === "string") return { kind: "fault", problem: foreign };
  const problem = costFault(foreign);
  return problem === undefined ? { kind: "hash", foreign } : { kind: "fault", problem };
}

function read(given: string | HashInWords, firebase: FirebaseParameters | undefined): ForeignHash | string {
  return typeof given === "string" ? readText(given) : readWords(given, firebase);
}

/** The modular crypt and PHC formats, those of passlib, and what Django puts in front of them. */
function readText(given: string): ForeignHash | string {
  const crypt = given.replace(/^(?:bcrypt\$|argon2(?=\$))/, "").replace(/^argon2/, "$argon2");
  const bcrypt = /^\$2[aby]\$(.*)$/.exec(crypt)?.[1];
  if (bcrypt !== undefined) return { algorithm: "bcrypt", text: `$2b$${bcrypt}` };
  if (crypt.startsWith("$argon2")) return { algorithm: "argon2", text: crypt };
  return readScryptText(given) ?? readPbkdf2Text(given) ?? "is of no known text format";
}

function readScryptText(given: string): ForeignHash | undefined {
  const [, logN, r, p, salt = "", hash = ""] =
    /^\$scrypt\$ln=(\d{1,3}),r=(\d{1,9}),p=(\d{1,9})\$([^$]+)\$([^$]+)$/.exec(given) ?? [];
  if (logN === undefined) return undefined;
  const cost = { logN: Number(logN), r: Number(r), p: Number(p) };
  return { algorithm: "scrypt", cost, salt: fromBase64(salt), hash: fromBase64(hash) };
}

function readPbkdf2Text(given: string): ForeignHash | undefined {
  const django = /^pbkdf2_(sha1|sha256)\$(\d{1,9})\$([^$]+)\$([^$]+)$/.exec(given);
  const passlib = /^\$pbkdf2(?:-(sha1|sha256|sha512))?\$(?:i=)?(\d{1,9})(?:,l=\d+)?\$([^$]+)\$([^$]+)$/.exec(given);
  const [, name = "sha1", iterations, salt = "", hash = ""] = django ?? passlib ?? [];
  if (iterations === undefined) return undefined;
  const digest = name === "sha256" || name === "sha512" ? name : "sha1";
  // Django's salt is the text itself.
  const octets = { salt: django === null ? fromBase64(salt) : Buffer.from(salt), hash: fromBase64(hash) };
  return { algorithm: "pbkdf2", digest, iterations: Number(iterations), ...octets };
}

function readWords(given: HashInWords, firebase: FirebaseParameters | undefined): ForeignHash | string {
  const salt = decode(given.salt, given.saltEncoding ?? given.encoding);
  const hash = decode(given.hash, given.encoding);
  if (salt === undefined || hash === undefined) return `has a hash or a salt that is not ${given.encoding}`;
  if (given.algorithm === "firebase-scrypt") {
    return firebase === undefined ? "is of Firebase: give its hash parameters" : readFirebase(salt, hash, firebase);
  }
  if (given.algorithm === "scrypt") {
    const logN = Math.log2(given.N);
    if (!Number.isInteger(logN)) return "has an N that is no power of two";
    return { algorithm: "scrypt", cost: { logN, r: given.r, p: given.p }, salt, hash };
  }
  const digest = DIGEST_OF[given.algorithm];
  return { algorithm: "pbkdf2", digest, iterations: given.iterations, salt, hash };
}

const DIGEST_OF = { "pbkdf2-sha1": "sha1", "pbkdf2-sha256": "sha256", "pbkdf2-sha512": "sha512" } as const;

function readFirebase(salt: Buffer, hash: Buffer, firebase: FirebaseParameters): ForeignHash | string {
  const { signerKey, saltSeparator, rounds, memoryCost } = firebase;
  if (hash.length !== signerKey.length) return "has a hash that is not as long as the signer key";
  return {
    algorithm: "firebase-scrypt",
    cost: { logN: memoryCost, r: rounds, p: 1 },
    salt: Buffer.concat([salt, saltSeparator]),
    hash: keyStreamOf(hash, signerKey),
  };
}

function decode(given: string, encodedAs: "base64" | "hex" | "utf8"): Buffer | undefined {
  if (encodedAs === "utf8") return Buffer.from(given);
  if (encodedAs === "hex") return /^(?:[0-9a-f]{2})*$/i.test(given) ? Buffer.from(given, "hex") : undefined;
  return /^[A-Za-z0-9+/_-]*={0,2}$/.test(given) ? Buffer.from(given, "base64") : undefined;
}

/** Also passlib's alphabet, which has a dot for the plus. */
function fromBase64(given: string): Buffer {
  return Buffer.from(given.replaceAll(".", "+"), "base64");
}
