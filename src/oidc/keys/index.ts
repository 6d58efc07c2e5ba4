/** Signing keys: created at the first start, sealed at rest, read once. A later issue rotates them. */
export { createSigningKeys, type SigningKey } from "./signing-keys.ts";
