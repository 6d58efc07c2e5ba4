import { createSealer, type Sealer, type SealingPurpose } from "./sealing.ts";

/** What begins with this is several seals; one alone begins with the version of `sealing.ts`. */
const SEVERAL = 0x53;
const LENGTH_BYTES = 2;

/**
 * Seals private keys under every secret of `LATCHKEY_SECRET`, newest first, so that each node can open them while a new
 * secret makes its way through a deployment: one that has only the old, and one that has both. Once a node has the new
 * one alone, it takes the old seal off.
 */
export interface KeySeals {
  seal(kid: string, privateKey: Uint8Array): Buffer;
  /** `undefined`: none of our secrets opens it. */
  open(kid: string, sealed: Uint8Array): Buffer | undefined;
  /** Whether it is sealed under other secrets than ours, and is not a newer node's. */
  isStale(sealed: Uint8Array): boolean;
}

/** @param secrets the values of `LATCHKEY_SECRET`, newest first. */
export function createKeySeals(
  secrets: readonly string[],
  purpose: Extract<SealingPurpose, "signing-key" | "audit-key">,
): KeySeals {
  const sealers = secrets.map((secret) => createSealer([secret]));
  /** Which of our secrets made it; -1: none. */
  const ownerOf = (seal: Uint8Array): number => sealers.findIndex((sealer: Sealer) => !sealer.isStale(seal));

  return {
    seal: (kid, privateKey) => join(sealers.map((sealer) => sealer.seal(purpose, privateKey, kid))),
    open(kid, sealed) {
      for (const seal of split(sealed)) {
        const opened = sealers[ownerOf(seal)]?.open(purpose, seal, kid);
        if (opened !== undefined) return opened;
      }
      return undefined;
    },
    isStale(sealed) {
      const owners = split(sealed).map(ownerOf);
      // The newest secret comes first. One that we do not know is newer than ours: whoever has it sees to it.
      if (owners[0] === -1) return false;
      return owners.length !== sealers.length || owners.some((owner, index) => owner !== index);
    },
  };
}

function join(seals: readonly Buffer[]): Buffer {
  const [only] = seals;
  if (only !== undefined && seals.length === 1) return only;
  return Buffer.concat([
    Buffer.from([SEVERAL]),
    ...seals.flatMap((seal) => {
      const length = Buffer.alloc(LENGTH_BYTES);
      length.writeUInt16BE(seal.length);
      return [length, seal];
    }),
  ]);
}

function split(sealed: Uint8Array): readonly Buffer[] {
  const value = Buffer.from(sealed);
  if (value[0] !== SEVERAL) return [value];
  const seals: Buffer[] = [];
  for (let at = 1; at + LENGTH_BYTES <= value.length;) {
    const end = at + LENGTH_BYTES + value.readUInt16BE(at);
    seals.push(value.subarray(at + LENGTH_BYTES, end));
    at = end;
  }
  return seals;
}
