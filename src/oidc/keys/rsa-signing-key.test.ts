import { exportJWK, generateKeyPair, importJWK, jwtVerify } from "jose";
import { expect, test } from "vitest";
import { RsaSigningKey } from "./rsa-signing-key.ts";

const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString("base64url");

test.each(["RS256", "PS256"] as const)("what it signs as %s is what JWS means by that", async (alg) => {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
  const key = new RsaSigningKey(alg, { ...(await exportJWK(privateKey)), kid: "one" });
  const data = `${encode({ alg })}.${encode({ sub: "alice" })}`;
  const token = `${data}.${(await key.sign(Buffer.from(data))).toString("base64url")}`;
  const { payload } = await jwtVerify(token, await importJWK(await exportJWK(publicKey), alg), { algorithms: [alg] });
  expect(payload.sub).toBe("alice");
  expect([key.alg, key.kid, key.keyObject().type]).toEqual([alg, "one", "public"]);
});
