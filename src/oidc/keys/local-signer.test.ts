import { exportJWK, generateKeyPair, importJWK, jwtVerify } from "jose";
import { expect, test } from "vitest";
import { SIGNATURE_ALGORITHMS } from "../../clients/index.ts";
import { createLocalSigner } from "./local-signer.ts";

const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString("base64url");

test.each(SIGNATURE_ALGORITHMS)("what is signed as %s is what JWS means by that", async (alg) => {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
  const signer = createLocalSigner(alg, await exportJWK(privateKey));
  const data = `${encode({ alg })}.${encode({ sub: "alice" })}`;
  const token = `${data}.${Buffer.from(await signer.sign(Buffer.from(data))).toString("base64url")}`;
  const { payload } = await jwtVerify(token, await importJWK(await exportJWK(publicKey), alg), { algorithms: [alg] });
  expect(payload.sub).toBe("alice");
});
