import { createPrivateKey, sign } from "node:crypto";
import type { JWK } from "jose";
import type { SignatureAlgorithm } from "../../clients/index.ts";
import { createEs256Signer } from "./es256-signer.ts";
import { createRsaSigner } from "./rsa-signer.ts";
import type { Signer } from "./signer.ts";

/** Signs with a private key that lies in the memory of this process. */
export function createLocalSigner(algorithm: SignatureAlgorithm, privateJwk: JWK): Signer {
  const privateKey = createPrivateKey({ key: { ...privateJwk }, format: "jwk" });
  if (algorithm === "ES256") return createEs256Signer(privateKey);
  if (algorithm !== "EdDSA") return createRsaSigner(algorithm, privateKey);
  // Rare, and as dear on this thread as on the way to another (RFC 8037, section 3.1).
  return { sign: async (data) => sign(null, data, privateKey) };
}
