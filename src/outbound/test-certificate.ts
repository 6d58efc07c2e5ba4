/** A certificate that signs itself, for tests of TLS: DER by hand, because Node reads certificates and makes none. */
import { generateKeyPairSync, sign } from "node:crypto";

const encode = (tag: number, ...parts: readonly Uint8Array[]): Buffer => {
  const content = Buffer.concat(parts);
  const length =
    content.length < 128 ? [content.length] : [0x82, Math.floor(content.length / 256), content.length % 256];
  return Buffer.concat([Buffer.from([tag, ...length]), content]);
};
const sequence = (...parts: readonly Uint8Array[]): Buffer => encode(0x30, ...parts);
const objectId = (hex: string): Buffer => encode(0x06, Buffer.from(hex, "hex"));
const utcTime = (text: string): Buffer => encode(0x17, Buffer.from(text));

const ECDSA_WITH_SHA256 = sequence(objectId("2a8648ce3d040302"));

/** Valid until 2049 for one DNS name. */
export function createTestCertificate(hostname: string): { readonly certificate: string; readonly privateKey: string } {
  const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const commonName = sequence(objectId("550403"), encode(0x0c, Buffer.from(hostname)));
  const name = sequence(encode(0x31, commonName));
  const alternativeNames = sequence(encode(0x82, Buffer.from(hostname)));
  const extension = sequence(objectId("551d11"), encode(0x04, alternativeNames));
  const toBeSigned = sequence(
    encode(0xa0, encode(0x02, Buffer.from([2]))),
    encode(0x02, Buffer.from([1])),
    ECDSA_WITH_SHA256,
    name,
    sequence(utcTime("200101000000Z"), utcTime("491231235959Z")),
    name,
    publicKey.export({ type: "spki", format: "der" }),
    encode(0xa3, sequence(extension)),
  );
  const signature = encode(0x03, Buffer.from([0]), sign("sha256", toBeSigned, privateKey));
  const der = sequence(toBeSigned, ECDSA_WITH_SHA256, signature);
  return {
    certificate: `-----BEGIN CERTIFICATE-----\n${der.toString("base64")}\n-----END CERTIFICATE-----\n`,
    privateKey: privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
  };
}
