import { constants, createPrivateKey, createPublicKey, type KeyObject, sign } from "node:crypto";
import type { JWK } from "jose";
import { ExternalSigningKey } from "oidc-provider";

/** RFC 7518, section 3.5. */
const PSS = { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST } as const;

/**
 * An RSA key that signs in Node's thread pool, asked for by a callback. The library asks through WebCrypto, whose
 * promises and copies cost the main thread several times as much for each token.
 */
export class RsaSigningKey extends ExternalSigningKey {
  readonly #algorithm: "RS256" | "PS256";
  readonly #kid: string | undefined;
  readonly #privateKey: KeyObject;
  /** What `sign` wants: the key by itself, which is quicker to hand over, means the scheme of RFC 7518, section 3.3. */
  readonly #signer: KeyObject | ({ readonly key: KeyObject } & typeof PSS);

  constructor(algorithm: "RS256" | "PS256", privateJwk: JWK) {
    super();
    this.#algorithm = algorithm;
    this.#kid = privateJwk.kid;
    this.#privateKey = createPrivateKey({ key: { ...privateJwk }, format: "jwk" });
    this.#signer = algorithm === "PS256" ? { key: this.#privateKey, ...PSS } : this.#privateKey;
  }

  override get alg(): string {
    return this.#algorithm;
  }

  override get kid(): string | undefined {
    return this.#kid;
  }

  /** The public half, which the library publishes. */
  override keyObject(): KeyObject {
    return createPublicKey(this.#privateKey);
  }

  override sign(data: Uint8Array): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      sign("sha256", data, this.#signer, (error, signature) => (error === null ? resolve(signature) : reject(error)));
    });
  }
}
