/** Signing keys: created at the first start, sealed at rest, read once. A later issue rotates them. */
export { withdrawKey } from "./key-withdrawal.ts";
export { createPublishedKeys, type PublishedKey, type PublishedKeys } from "./published-keys.ts";
export { createSigningKeys, type SigningKey } from "./signing-keys.ts";
