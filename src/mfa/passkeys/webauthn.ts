import type { AnsweredChallenge } from "./challenges.ts";
import type { AssertionResponse, RegistrationResponse } from "./responses.ts";

/** EdDSA, ES256 and RS256, as COSE numbers them: what browsers and keys have in common. */
export const ALGORITHMS = [-8, -7, -257];

/** Where passkeys belong: whoever is elsewhere cannot use them, which is what keeps phishing out. */
export interface RelyingParty {
  readonly id: string;
  readonly name: string;
  readonly origin: string;
}

/** Loaded at the first passkey: it costs every start some 25 MB otherwise. */
export const loadWebAuthn = () => import("@simplewebauthn/server");

/** Why an answer was refused: for the audit log. Nothing in it is the person's. */
export type PasskeyFault =
  | "malformed"
  | "challenge_refused"
  | "challenge_replayed"
  | "not_verified"
  | "attestation_unwanted"
  | "already_registered"
  | "unknown_passkey"
  | "other_account"
  | "kind_changed";

/** What a check came to. */
export type Checked<Facts> =
  | { readonly facts: Facts & { readonly challenge: AnsweredChallenge }; readonly fault?: undefined }
  | { readonly fault: PasskeyFault };

interface Expectation {
  readonly party: RelyingParty;
  readonly checkChallenge: (challenge: string) => AnsweredChallenge | undefined;
}

export interface NewPasskeyFacts {
  readonly id: string;
  readonly publicKey: Uint8Array;
  readonly counter: number;
  readonly aaguid: string;
  /** How browsers may reach it. */
  readonly transports: readonly string[];
  readonly isSynced: boolean;
  readonly isBackedUp: boolean;
}

/** Checks what an authenticator says of the passkey that it made (WebAuthn Level 3, section 7.1). */
export function checkRegistration(
  response: RegistrationResponse,
  expectation: Expectation,
): Promise<Checked<NewPasskeyFacts>> {
  return checkCeremony(expectation, async (expected) => {
    const { verifyRegistrationResponse } = await loadWebAuthn();
    if (!(await isWithoutCertificates(response.response.attestationObject))) return "attestation_unwanted";
    const { registrationInfo: made } = await verifyRegistrationResponse({
      ...expected,
      response: { ...response, clientExtensionResults: {} },
      requireUserVerification: true,
      supportedAlgorithmIDs: ALGORITHMS,
    });
    // The authenticator signs its own id, and the browser only passes it on.
    if (made === undefined || made.credential.id !== response.id) return "not_verified";
    const { id, publicKey, counter } = made.credential;
    const isSynced = made.credentialDeviceType === "multiDevice";
    const { transports } = response.response;
    return { id, publicKey, counter, aaguid: made.aaguid, transports, isSynced, isBackedUp: made.credentialBackedUp };
  });
}

export interface UsedPasskeyFacts {
  readonly counter: number;
  readonly isSynced: boolean;
  readonly isBackedUp: boolean;
}

/** Checks the use of a passkey (section 7.2), but for its counter: that is compared where it is moved on. */
export function checkAssertion(
  response: AssertionResponse,
  passkey: { readonly id: string; readonly publicKey: Uint8Array },
  expectation: Expectation,
): Promise<Checked<UsedPasskeyFacts>> {
  return checkCeremony(expectation, async (expected) => {
    const { verifyAuthenticationResponse } = await loadWebAuthn();
    const { id, rawId, type, response: answer } = response;
    const { clientDataJSON, authenticatorData, signature } = answer;
    const { verified, authenticationInfo: used } = await verifyAuthenticationResponse({
      ...expected,
      response: {
        id,
        rawId,
        type,
        response: { clientDataJSON, authenticatorData, signature },
        clientExtensionResults: {},
      },
      credential: { id: passkey.id, publicKey: Uint8Array.from(passkey.publicKey), counter: 0 },
      requireUserVerification: true,
    });
    if (!verified) return "not_verified";
    const isSynced = used.credentialDeviceType === "multiDevice";
    return { counter: used.newCounter, isSynced, isBackedUp: used.credentialBackedUp };
  });
}

/** The library refuses by throwing, whatever it is that it does not like: bytes that are none of ours included. */
async function checkCeremony<Facts extends object>(
  { party, checkChallenge }: Expectation,
  check: (expected: ReturnType<typeof expectedOf>) => Promise<Facts | PasskeyFault>,
): Promise<Checked<Facts>> {
  await loadWebAuthn();
  let challenge: AnsweredChallenge | undefined;
  const noteChallenge = (text: string): boolean => (challenge = checkChallenge(text)) !== undefined;
  try {
    const facts = await check(expectedOf(party, noteChallenge));
    if (typeof facts === "string") return { fault: facts };
    return challenge === undefined ? { fault: "challenge_refused" } : { facts: { ...facts, challenge } };
  } catch {
    return { fault: challenge === undefined ? "challenge_refused" : "not_verified" };
  }
}

function expectedOf(party: RelyingParty, expectedChallenge: (challenge: string) => boolean) {
  return { expectedChallenge, expectedOrigin: party.origin, expectedRPID: party.id };
}

/**
 * An attestation is not asked for, so browsers leave it out. Certificates in it would be looked up at addresses that
 * they name themselves: nobody makes this server call anywhere.
 */
async function isWithoutCertificates(attestationObject: string): Promise<boolean> {
  const { decodeAttestationObject } = await import("@simplewebauthn/server/helpers");
  const decoded = decodeAttestationObject(Uint8Array.from(Buffer.from(attestationObject, "base64url")));
  const format = decoded.get("fmt");
  return format === "none" || (format === "packed" && decoded.get("attStmt").get("x5c") === undefined);
}
