import { z } from "zod";

/** A Firebase project's hash parameters, in plain JSON. The signer key is a secret: it is neither kept nor logged. */
export interface FirebaseConfig {
  /** In base64, as is the separator. */
  readonly signerKey: string;
  readonly saltSeparator: string;
  readonly rounds: number;
  readonly memoryCost: number;
}

const base64 = z.string().regex(/^[A-Za-z0-9+/_-]+={0,2}$/);
const count = z.coerce.number().int();

export const firebaseConfig = z.strictObject({
  signerKey: base64,
  saltSeparator: base64,
  rounds: count.min(1).max(8),
  memoryCost: count.min(1).max(14),
});

/**
 * Reads what Firebase's console shows ("Password hash parameters") as it is copied from there, or `hashConfig` of its
 * API as JSON. `undefined` when something is missing in it.
 */
export function parseFirebaseConfig(text: string): FirebaseConfig | undefined {
  const valueOf = (...names: readonly string[]): string | undefined => {
    const pattern = new RegExp(`\\b(?:${names.join("|")})"?\\s*:\\s*"?([A-Za-z0-9+/_=-]+)`);
    return pattern.exec(text)?.[1];
  };
  const parsed = firebaseConfig.safeParse({
    signerKey: valueOf("base64_signer_key", "signerKey"),
    saltSeparator: valueOf("base64_salt_separator", "saltSeparator"),
    rounds: valueOf("rounds"),
    memoryCost: valueOf("mem_cost", "memoryCost"),
  });
  return parsed.success ? parsed.data : undefined;
}
