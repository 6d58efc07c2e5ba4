import type { KeyObject } from "node:crypto";
import { ExternalSigningKey } from "oidc-provider";

export interface TokenKeyOptions {
  readonly kid: string;
  readonly algorithm: string;
  readonly publicKey: KeyObject;
  /** Absent: published, and not to sign with. */
  readonly sign: ((data: Uint8Array) => Promise<Uint8Array>) | undefined;
}

/**
 * A key as the library takes it. To it every key of ours lies elsewhere: it asks for each signature, so that we can
 * refuse one, and it needs the private half of none.
 */
export class TokenKey extends ExternalSigningKey {
  readonly #options: TokenKeyOptions;

  constructor(options: TokenKeyOptions) {
    super();
    this.#options = options;
  }

  override get alg(): string {
    return this.#options.algorithm;
  }

  override get kid(): string {
    return this.#options.kid;
  }

  /** The library signs with no key that says so (RFC 7517, section 4.3). */
  override get key_ops(): string[] | undefined {
    return this.#options.sign === undefined ? ["verify"] : undefined;
  }

  /** The public half, which the library publishes. */
  override keyObject(): KeyObject {
    return this.#options.publicKey;
  }

  override sign(data: Uint8Array): Promise<Uint8Array> {
    const { sign, kid } = this.#options;
    return sign === undefined ? Promise.reject(new Error(`the key ${kid} is not to sign with`)) : sign(data);
  }
}
