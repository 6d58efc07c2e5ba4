/**
 * Signing keys: made, published, used, retired and forgotten by a schedule, on every node at once.
 *
 * `key-schedule.ts` decides what is due, and is pure; `key-changes.ts` carries it out, whichever node comes first;
 * `key-ring.ts` is what each node does about it, `key-copy.ts` what it knows and for how long that counts; `held-keys.ts`
 * is what it signs with, `token-key.ts` how the library sees that. `key-commands.ts` is what operators do, `key-standings.ts` what
 * metrics tell. docs/key-rotation.md
 *
 * Invariants: one key an algorithm signs; before it did it was published for longer than anybody keeps the key set, and
 * it stays published until its last token has expired. A private key lies here sealed, or elsewhere
 * (`external-keys.ts`), and is gone once it is retired. A node that does not know what is current signs nothing.
 */
export type { ExternalKeys } from "./external-keys.ts";
export {
  createSigningKeyCommands,
  type KeyRotation,
  type KeySummary,
  type SigningKeyCommands,
} from "./key-commands.ts";
export { createKeyRing, type KeyRing } from "./key-ring.ts";
export { type KeyStanding, listKeyStandings } from "./key-standings.ts";
export { type KeyTimes, keyTimesOf } from "./key-times.ts";
export { createPublishedKeys, type PublishedKey, type PublishedKeys } from "./published-keys.ts";
