import { z } from "zod";

const RESPONSE_BYTES_MAX = 16 * 1024;
/** A credential id has 1,023 bytes at the most (WebAuthn Level 3, section 4). */
const ID_CHARACTERS_MAX = 1_364;
const TRANSPORTS = ["ble", "cable", "hybrid", "internal", "nfc", "smart-card", "usb"] as const;

export type Transport = (typeof TRANSPORTS)[number];

const octets = z.string().regex(/^[\w-]+$/);
const credentialId = octets.max(ID_CHARACTERS_MAX);
const publicKey = z.literal("public-key");

/** Browsers add kinds of transport as they invent them; those that we do not know are of no use to others. */
const transports = z
  .array(z.string())
  .max(20)
  .transform((names): Transport[] => TRANSPORTS.filter((known) => names.includes(known)));

const registrationSchema = z.object({
  id: credentialId,
  rawId: credentialId,
  type: publicKey,
  response: z.object({ clientDataJSON: octets, attestationObject: octets, transports: transports.default([]) }),
});

const assertionSchema = z.object({
  id: credentialId,
  rawId: credentialId,
  type: publicKey,
  response: z.object({
    clientDataJSON: octets,
    authenticatorData: octets,
    signature: octets,
    userHandle: z.string().nullish(),
  }),
});

export type RegistrationResponse = z.infer<typeof registrationSchema>;
export type AssertionResponse = z.infer<typeof assertionSchema>;

/** Reads what the browser says of a passkey that was made; `undefined` when it is none of that. */
export function parseRegistrationResponse(text: string): RegistrationResponse | undefined {
  return registrationSchema.safeParse(parseJson(text)).data;
}

/** Reads what the browser says of a passkey that was used; `undefined` when it is none of that. */
export function parseAssertionResponse(text: string): AssertionResponse | undefined {
  return assertionSchema.safeParse(parseJson(text)).data;
}

function parseJson(text: string): unknown {
  if (Buffer.byteLength(text) > RESPONSE_BYTES_MAX) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
