/** Makes signatures in the form of JWS (RFC 7515) with one key and one algorithm. */
export interface Signer {
  /** Rejects when it cannot sign now. */
  sign(data: Uint8Array): Promise<Uint8Array>;
}
