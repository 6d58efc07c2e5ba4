import { createHash, generateKeyPairSync, type KeyObject, randomBytes, sign } from "node:crypto";

/** What a browser and an authenticator say wrongly, if anything. */
export interface Deviations {
  readonly origin?: string;
  readonly rpId?: string;
  readonly isVerified?: boolean;
  readonly isPresent?: boolean;
  readonly counter?: number;
  readonly isSynced?: boolean;
  readonly userHandle?: string | undefined;
  readonly challenge?: string;
  readonly type?: string;
  /** An attestation that nobody asked for. */
  readonly attestation?: { readonly format: string; readonly statement: ReadonlyMap<string, CborValue> };
  /** Signs as somebody else. */
  readonly privateKey?: KeyObject;
}

interface CreationOptions {
  readonly challenge: string;
  readonly rp: { readonly id: string };
  readonly user: { readonly id: string };
}

interface RequestOptions {
  readonly challenge: string;
  readonly rpId: string;
}

export interface SoftwareAuthenticator {
  readonly credentialId: string;
  /** Makes the passkey; returns what the browser would send, as JSON. */
  create(options: object, deviations?: Deviations): string;
  /** Uses it. */
  get(options: object, deviations?: Deviations): string;
}

const GOOGLE_AAGUID = "ea9b8d664d011d213ce4b6b48cb575d4";
const FLAG = { present: 0x01, verified: 0x04, backupEligible: 0x08, backedUp: 0x10, attested: 0x40 };

/**
 * A passkey in memory: P-256, discoverable, verifying its user, without attestation. One that is synced does not count
 * its uses, like those of the large makers.
 */
export function createSoftwareAuthenticator(
  kind: { readonly isSynced?: boolean; readonly origin?: string; readonly credentialId?: string } = {},
): SoftwareAuthenticator {
  const { isSynced = true, origin = "https://id.example.com" } = kind;
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const credentialId = kind.credentialId ?? randomBytes(20).toString("base64url");
  let counter = 0;
  let owner: string | undefined;

  function authenticatorData(rpId: string, deviations: Deviations, attested: Buffer): Buffer {
    const { isVerified = true, isPresent = true } = deviations;
    const isEligible = deviations.isSynced ?? isSynced;
    const flags =
      (isPresent ? FLAG.present : 0) |
      (isVerified ? FLAG.verified : 0) |
      (isEligible ? FLAG.backupEligible | FLAG.backedUp : 0) |
      (attested.length > 0 ? FLAG.attested : 0);
    const count = Buffer.alloc(4);
    count.writeUInt32BE(deviations.counter ?? counter);
    return Buffer.concat([sha256(deviations.rpId ?? rpId), Buffer.from([flags]), count, attested]);
  }

  const clientData = (type: string, challenge: string, deviations: Deviations): Buffer =>
    Buffer.from(
      JSON.stringify({
        type: deviations.type ?? type,
        challenge: deviations.challenge ?? challenge,
        origin: deviations.origin ?? origin,
        crossOrigin: false,
      }),
    );
  const credential = { id: credentialId, rawId: credentialId, type: "public-key", clientExtensionResults: {} };

  return {
    credentialId,
    create(options, deviations = {}) {
      const { challenge, rp, user } = options as CreationOptions;
      owner = user.id;
      const id = Buffer.from(credentialId, "base64url");
      const length = Buffer.alloc(2);
      length.writeUInt16BE(id.length);
      const attested = Buffer.concat([Buffer.from(GOOGLE_AAGUID, "hex"), length, id, cbor(coseKeyOf(publicKey))]);
      const attestationObject = cbor(
        new Map<string, CborValue>([
          ["fmt", deviations.attestation?.format ?? "none"],
          ["attStmt", deviations.attestation?.statement ?? new Map()],
          ["authData", authenticatorData(rp.id, deviations, attested)],
        ]),
      );
      const response = {
        clientDataJSON: clientData("webauthn.create", challenge, deviations).toString("base64url"),
        attestationObject: attestationObject.toString("base64url"),
        transports: ["internal", "hybrid", "telepathy"],
      };
      return JSON.stringify({ ...credential, response });
    },
    get(options, deviations = {}) {
      const { challenge, rpId } = options as RequestOptions;
      if (!isSynced) counter += 1;
      const data = authenticatorData(rpId, deviations, Buffer.alloc(0));
      const client = clientData("webauthn.get", challenge, deviations);
      const signed = Buffer.concat([data, sha256(client)]);
      const response = {
        clientDataJSON: client.toString("base64url"),
        authenticatorData: data.toString("base64url"),
        signature: sign("sha256", signed, deviations.privateKey ?? privateKey).toString("base64url"),
        ...("userHandle" in deviations ? { userHandle: deviations.userHandle } : { userHandle: owner }),
      };
      return JSON.stringify({ ...credential, response });
    },
  };
}

function sha256(value: string | Uint8Array): Buffer {
  return createHash("sha256").update(value).digest();
}

/** RFC 9053, section 7.1.1. */
function coseKeyOf(key: KeyObject): ReadonlyMap<number, CborValue> {
  const { x = "", y = "" } = key.export({ format: "jwk" });
  return new Map<number, CborValue>([
    [1, 2],
    [3, -7],
    [-1, 1],
    [-2, Buffer.from(x, "base64url")],
    [-3, Buffer.from(y, "base64url")],
  ]);
}

type CborValue =
  | number
  | string
  | Uint8Array
  | readonly CborValue[]
  | ReadonlyMap<number, CborValue>
  | ReadonlyMap<string, CborValue>;

/** As much of RFC 8949 as authenticators write. */
function cbor(value: CborValue): Buffer {
  if (typeof value === "number") return value < 0 ? head(1, -1 - value) : head(0, value);
  if (typeof value === "string") return Buffer.concat([head(3, Buffer.byteLength(value)), Buffer.from(value)]);
  if (value instanceof Uint8Array) return Buffer.concat([head(2, value.length), value]);
  if (value instanceof Map) {
    const entries = [...value].flatMap(([key, entry]) => [cbor(key), cbor(entry)]);
    return Buffer.concat([head(5, value.size), ...entries]);
  }
  const items = value as readonly CborValue[];
  return Buffer.concat([head(4, items.length), ...items.map(cbor)]);
}

function head(major: number, argument: number): Buffer {
  if (argument < 24) return Buffer.from([(major << 5) | argument]);
  if (argument < 256) return Buffer.from([(major << 5) | 24, argument]);
  return Buffer.from([(major << 5) | 25, argument >> 8, argument & 0xff]);
}
