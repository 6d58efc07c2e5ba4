/** What Web Crypto has to be told to verify a signature. */
type Computation =
  | { readonly name: "ECDSA" | "RSASSA-PKCS1-v1_5"; readonly hash: string }
  | { readonly name: "RSA-PSS"; readonly hash: string; readonly saltLength: number }
  | { readonly name: "Ed25519" };

/** RFC 7518, section 3, and RFC 8037, section 3.1; the algorithms that `options.ts` lets in. */
const COMPUTATIONS: ReadonlyMap<string, Computation> = new Map([
  ...[256, 384, 512].flatMap((bits): (readonly [string, Computation])[] => {
    const hash = `SHA-${bits}`;
    return [
      [`ES${bits}`, { name: "ECDSA", hash }],
      [`RS${bits}`, { name: "RSASSA-PKCS1-v1_5", hash }],
      [`PS${bits}`, { name: "RSA-PSS", hash, saltLength: bits / 8 }],
    ];
  }),
  ["EdDSA", { name: "Ed25519" }],
  ["Ed25519", { name: "Ed25519" }],
]);

/** Absent: an algorithm that is not known here. */
export function findComputation(algorithm: string): Computation | undefined {
  return COMPUTATIONS.get(algorithm);
}
