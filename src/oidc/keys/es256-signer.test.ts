import { createPrivateKey, createPublicKey, verify } from "node:crypto";
import { exportJWK, generateKeyPair } from "jose";
import { expect, test } from "vitest";
import { createEs256Signer, joinIntegers } from "./es256-signer.ts";

test("every signature is one that JWS accepts, however many zeros its numbers begin with", async () => {
  const { privateKey } = await generateKeyPair("ES256", { extractable: true });
  const key = createPrivateKey({ key: { ...(await exportJWK(privateKey)) }, format: "jwk" });
  const signer = createEs256Signer(key);
  const publicKey = createPublicKey(key);
  // One in 128 has a number that is shorter than 32 bytes.
  const texts = Array.from({ length: 1000 }, (_, index) => Buffer.from(`header.${index}`));
  const signatures = await Promise.all(texts.map(async (data) => ({ data, signature: await signer.sign(data) })));
  for (const { data, signature } of signatures) {
    expect(signature).toHaveLength(64);
    expect(verify("sha256", data, { key: publicKey, dsaEncoding: "ieee-p1363" }, signature)).toBe(true);
  }
});

test("an integer's sign byte goes, and its missing zeros come back", () => {
  const negativeLooking = Buffer.concat([Buffer.from([0x02, 33, 0x00, 0x80]), Buffer.alloc(31, 0xaa)]);
  const short = Buffer.from([0x02, 2, 0x01, 0x02]);
  const der = Buffer.concat([Buffer.from([0x30, negativeLooking.length + short.length]), negativeLooking, short]);
  const expected = Buffer.concat([Buffer.from([0x80]), Buffer.alloc(31, 0xaa), Buffer.alloc(30), Buffer.from([1, 2])]);
  expect(joinIntegers(der)).toEqual(expected);
});
