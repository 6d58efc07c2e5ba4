import { randomBytes } from "node:crypto";
import * as argon2 from "argon2";
import { describe, expect, test } from "vitest";
import { parseHash } from "../../import/parse-hash.ts";
import { decodeForeignHash, encodeForeignHash } from "./foreign-hash.ts";
import { verifyForeign } from "./verify-foreign.ts";

type Given = Parameters<typeof parseHash>[0];

/** The example of github.com/firebase/scrypt. */
const FIREBASE = {
  signerKey: Buffer.from(
    "jxspr8Ki0RYycVU8zykbdLGjFQ3McFUH0uiiTvC8pVMXAn210wjLNmdZJzxUECKbm0QsEmYUSDzZvpjeJ9WmXA==",
    "base64",
  ),
  saltSeparator: Buffer.from("Bw==", "base64"),
  rounds: 8,
  memoryCost: 14,
};
const FIREBASE_HASH = "lSrfV15cpx95/sZS2W9c9Kp6i/LVgQNDNC/qzrCnh1SAyZvqmZqAjTdn3aoItz+VHjoZilo78198JAdRuid5lQ==";

/** Through all that an imported hash passes: parsed, kept as text, read again. */
async function verifyImported(given: Given, password: string): Promise<boolean | string> {
  const parsed = parseHash(given, FIREBASE);
  if (parsed.kind === "fault") return parsed.problem;
  const foreign = decodeForeignHash(encodeForeignHash(parsed.foreign));
  return foreign === undefined ? "it cannot be read again" : verifyForeign(foreign, password);
}

const SALT = "MDEyMzQ1Njc4OWFiY2RlZg=="; // 0123456789abcdef

// Made by others: libxcrypt, Python's hashlib (OpenSSL), RFC 6070, RFC 7914, the reference implementation of argon2.
const VECTORS: readonly (readonly [name: string, given: Given, password: string])[] = [
  [
    "bcrypt of PHP ($2y$), by libxcrypt",
    "$2y$06$abcdefghijklmnopqrstuutv/zp5NKZCLkxl6aYMyK0Qv16p7B7f6",
    "plum umbrella glacier",
  ],
  [
    "bcrypt of OpenBSD ($2b$), by libxcrypt",
    "$2b$05$abcdefghijklmnopqrstuuNgJv2z5uXjCwAsKXHAypCLMnHYDP7Sy",
    "Zwölf Boxkämpfer",
  ],
  [
    "bcrypt of old ($2a$), of crypt_blowfish's tests",
    "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW",
    "U*U",
  ],
  [
    "bcrypt with Django's prefix",
    "bcrypt$$2b$05$abcdefghijklmnopqrstuuNgJv2z5uXjCwAsKXHAypCLMnHYDP7Sy",
    "Zwölf Boxkämpfer",
  ],
  [
    "argon2id, of the reference implementation",
    "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
    "password",
  ],
  [
    "argon2i, of the reference implementation, with Django's prefix",
    "argon2$argon2i$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$wWKIMhR9lyDFvRz9YTZweHKfbftvj+qf+YFY4NeBbtA",
    "password",
  ],
  [
    "PBKDF2 with SHA-1, of RFC 6070",
    {
      algorithm: "pbkdf2-sha1",
      iterations: 4096,
      encoding: "hex",
      saltEncoding: "utf8",
      salt: "saltSALTsaltSALTsaltSALTsaltSALTsalt",
      hash: "3d2eec4fe41c849b80c8d83662c0e44a8b291a964cf2f07038",
    },
    "passwordPASSWORDpassword",
  ],
  [
    "PBKDF2 with SHA-1, as passlib writes it",
    `$pbkdf2$20000$${SALT.replaceAll("=", "")}$gpd.qoAPkltge4aIRxlSf57FY20`,
    "plum umbrella glacier",
  ],
  [
    "PBKDF2 with SHA-256, of RFC 7914",
    {
      algorithm: "pbkdf2-sha256",
      iterations: 1,
      encoding: "hex",
      saltEncoding: "utf8",
      salt: "salt",
      hash: "55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc49ca9cccf179b645991664b39d77ef317c71b845b1e30bd509112041d3a19783",
    },
    "passwd",
  ],
  [
    "PBKDF2 with SHA-256, as Django writes it",
    "pbkdf2_sha256$20000$0123456789abcdef$LbLm3FAvsFV8Y4aeSvTtT6B4L4aZ3Hb3QGINHG5R/AQ=",
    "plum umbrella glacier",
  ],
  [
    "PBKDF2 with SHA-512, as Keycloak has it, by OpenSSL",
    {
      algorithm: "pbkdf2-sha512",
      iterations: 20_000,
      encoding: "base64",
      salt: SALT,
      hash: "5c7J6D3WlyWyA6lfqGZWlWO0MfUVbjUiNY91z0CCJ+UssjVVcPu7ZW4mvtsHPLjOKlhsOuAtkacGJPCaExEx8Q==",
    },
    "plum umbrella glacier",
  ],
  [
    "scrypt, of RFC 7914",
    {
      algorithm: "scrypt",
      N: 1024,
      r: 8,
      p: 16,
      encoding: "hex",
      saltEncoding: "utf8",
      salt: "NaCl",
      hash: "fdbabe1c9d3472007856e7190d01e9fe7c6ad7cbc8237830e77376634b3731622eaf30d92e22a3886ff109279d9830dac727afb94a83ee6d8360cbdfa2cc0640",
    },
    "password",
  ],
  [
    "scrypt, as passlib writes it, by OpenSSL",
    `$scrypt$ln=14,r=8,p=1$${SALT.replaceAll("=", "")}$kt33gqt/MRR8aUkygfSaahFNRob9ydyOUZEbAiv98RccghTmNA/U31JoeZZug0vTAPPx7a8bbZ6fwhkZSbhs5g`,
    "plum umbrella glacier",
  ],
  [
    "Firebase's scrypt, of its own example",
    { algorithm: "firebase-scrypt", encoding: "base64", salt: "42xEC+ixf3L2lw==", hash: FIREBASE_HASH },
    "user1password",
  ],
];

describe("a hash that another system made", () => {
  test.each(VECTORS)("%s is right for its password and for no other", async (_, given, password) => {
    expect(await verifyImported(given, password)).toBe(true);
    expect(await verifyImported(given, `${password} `)).toBe(false);
    expect(await verifyImported(given, "")).toBe(false);
  });

  test("is kept without the signer key of Firebase", () => {
    const given = { algorithm: "firebase-scrypt", encoding: "base64", salt: SALT, hash: FIREBASE_HASH } as const;
    const parsed = parseHash(given, FIREBASE);
    const kept = parsed.kind === "hash" ? encodeForeignHash(parsed.foreign) : "";
    expect(kept).toMatch(/^\$firebase-scrypt\$ln=14,r=8,p=1\$/);
    expect(kept).not.toContain(FIREBASE.signerKey.toString("base64").slice(0, 20));
  });

  test("of another spelling than ours (NFD) is right for what the person types there", async () => {
    const typed = "cafe\u0301 umbrella";
    const given = await argon2.hash(Buffer.from(typed), { memoryCost: 1_024, timeCost: 2, parallelism: 1 });
    expect(await verifyImported(given, typed)).toBe(true);
    const composed = await argon2.hash(Buffer.from(typed.normalize("NFC")), { memoryCost: 1_024, timeCost: 2 });
    expect(await verifyImported(composed, typed)).toBe(true);
  });

  test("of bcrypt is right for every password with the same 72 bytes at its front", async () => {
    const given = "$2b$05$abcdefghijklmnopqrstuujf8SX2ahXLwp9w/B.Y5XdysS6yR576q";
    expect(await verifyImported(given, "x".repeat(72))).toBe(true);
    expect(await verifyImported(given, `${"x".repeat(72)}anything`)).toBe(true);
    expect(await verifyImported(given, "x".repeat(71))).toBe(false);
  });

  test("that is none is right for nothing", async () => {
    for (const password of ["", "!", "plum umbrella glacier"]) {
      expect(await verifyImported(undefined, password)).toBe(false);
    }
  });

  test("does not hold up the event loop while it is verified", async () => {
    let turns = 0;
    const turning = setInterval(() => (turns += 1), 1);
    const bcrypt = "$2b$10$abcdefghijklmnopqrstuujf8SX2ahXLwp9w/B.Y5XdysS6yR576q";
    await verifyImported(bcrypt, "plum umbrella glacier");
    clearInterval(turning);
    expect(turns).toBeGreaterThan(5);
  });
});

const octets = (count: number): string => randomBytes(count).toString("base64");
const scrypt = (cost: { N: number; r: number; p: number }): Given => ({
  algorithm: "scrypt",
  ...cost,
  encoding: "base64",
  salt: octets(16),
  hash: octets(32),
});
const pbkdf2 = (iterations: number, hash = octets(32), salt = octets(16)): Given => ({
  algorithm: "pbkdf2-sha256",
  iterations,
  encoding: "base64",
  salt,
  hash,
});
const bcryptOf = (cost: string): Given => `$2b$${cost}$abcdefghijklmnopqrstuujf8SX2ahXLwp9w/B.Y5XdysS6yR576q`;
const argon2Of = (parameters: string): Given =>
  `$argon2id$v=19$${parameters}$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc`;

describe("what a hash may cost", () => {
  test.each<[Given]>([
    [scrypt({ N: 2 ** 17, r: 8, p: 1 })],
    [scrypt({ N: 2 ** 14, r: 8, p: 5 })],
    [pbkdf2(2_000_000)],
    [bcryptOf("14")],
    [argon2Of("m=131072,t=8,p=1")],
    [argon2Of("m=19456,t=2,p=1")],
    [argon2Of("m=7168,t=5,p=1")],
  ])("%j is taken", (given) => {
    expect(parseHash(given, undefined)).toMatchObject({ kind: "hash" });
  });

  test.each<[problem: RegExp, given: Given]>([
    [/asks for more than/, scrypt({ N: 2 ** 30, r: 8, p: 1 })],
    [/asks for more than/, scrypt({ N: 2 ** 17, r: 8, p: 2 })],
    [/asks for more than/, scrypt({ N: 2 ** 10, r: 2 ** 20, p: 1 })],
    [/asks for more than/, scrypt({ N: 2 ** 10, r: 8, p: 0 })],
    [/asks for more than/, scrypt({ N: 1, r: 8, p: 1 })],
    [/no power of two/, scrypt({ N: 1_000, r: 8, p: 1 })],
    [/N that is too large for its r/, scrypt({ N: 2 ** 16, r: 1, p: 1 })],
    [/iterations that are not/, pbkdf2(2_000_001)],
    [/iterations that are not/, pbkdf2(0)],
    [/hash that is not of 16 to 128 bytes/, pbkdf2(1_000, octets(1))],
    [/hash that is not of 16 to 128 bytes/, pbkdf2(1_000, octets(129))],
    [/salt that is not of 4 to 128 bytes/, pbkdf2(1_000, octets(32), "")],
    [/not base64/, pbkdf2(1_000, "*".repeat(40))],
    [/a cost that is not 4 to 14/, bcryptOf("15")],
    [/a cost that is not 4 to 14/, bcryptOf("31")],
    [/no bcrypt hash/, "$2b$10$tooShort"],
    [/no known text format/, "$2x$10$abcdefghijklmnopqrstuujf8SX2ahXLwp9w/B.Y5XdysS6yR576q"],
    [/asks for more than m/, argon2Of("m=131073,t=1,p=1")],
    [/asks for more than m/, argon2Of("m=131072,t=9,p=1")],
    [/a p that is not 1 to 16/, argon2Of("m=65536,t=1,p=17")],
    [/less than 8 times its p/, argon2Of("m=64,t=1,p=16")],
    [/no argon2 hash of the form/, "$argon2id$v=19$m=65536$c29tZXNhbHQ$CTFh"],
    [/no known text format/, "5f4dcc3b5aa765d61d8327deb882cf99"],
    [/no known text format/, ""],
    [/give its hash parameters/, { algorithm: "firebase-scrypt", encoding: "base64", salt: SALT, hash: FIREBASE_HASH }],
  ])("%s, of what is refused, without saying what it was", (problem, given) => {
    const parsed = parseHash(given, undefined);
    expect(parsed).toMatchObject({ kind: "fault", problem: expect.stringMatching(problem) });
  });

  test("is what the other end of the signer key says, too", () => {
    const given = { algorithm: "firebase-scrypt", encoding: "base64", salt: SALT, hash: FIREBASE_HASH } as const;
    expect(parseHash(given, { ...FIREBASE, memoryCost: 30 })).toMatchObject({ kind: "fault" });
    expect(parseHash(given, { ...FIREBASE, signerKey: Buffer.alloc(32) })).toMatchObject({
      problem: "has a hash that is not as long as the signer key",
    });
  });
});
