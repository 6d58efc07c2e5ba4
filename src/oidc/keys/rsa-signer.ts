import { constants, type KeyObject, sign } from "node:crypto";
import type { Signer } from "./signer.ts";

/** RFC 7518, section 3.5. */
const PSS = { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST } as const;

/**
 * Signs with an RSA key in Node's thread pool, asked for by a callback. The library asks through WebCrypto, whose
 * promises and copies cost the main thread several times as much for each token.
 */
export function createRsaSigner(algorithm: "RS256" | "PS256", privateKey: KeyObject): Signer {
  // The key by itself, which is quicker to hand over, means the scheme of RFC 7518, section 3.3.
  const signer = algorithm === "PS256" ? { key: privateKey, ...PSS } : privateKey;
  return {
    sign: (data) =>
      new Promise((resolve, reject) => {
        sign("sha256", data, signer, (error, signature) => (error === null ? resolve(signature) : reject(error)));
      }),
  };
}
