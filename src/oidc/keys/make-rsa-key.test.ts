import { createPrivateKey, createPublicKey, sign, verify } from "node:crypto";
import { expect, test } from "vitest";
import { makeRsaKey } from "./make-rsa-key.ts";

test("a key that is made beside the requests signs, has 2,048 bits, and is another one each time", async () => {
  const [jwk, another] = await Promise.all([makeRsaKey(), makeRsaKey()]);
  const privateKey = createPrivateKey({ key: jwk, format: "jwk" });
  const data = Buffer.from("a token");
  expect(verify("sha256", data, createPublicKey(privateKey), sign("sha256", data, privateKey))).toBe(true);
  expect(privateKey.asymmetricKeyDetails).toMatchObject({ modulusLength: 2_048, publicExponent: 65_537n });
  expect(another.n).not.toBe(jwk.n);
});
