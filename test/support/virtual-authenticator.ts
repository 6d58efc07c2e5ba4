import type { CDPSession, Page } from "playwright-core";

export type Credential = Awaited<ReturnType<typeof readCredentials>>[number];

export interface VirtualAuthenticatorOptions {
  /** Passkeys that it has from before, as if its owner took up the device again. */
  readonly credentials?: readonly Credential[];
  /** Whether its owner's fingerprint, face or PIN is recognized. */
  readonly isUserVerified?: boolean;
  readonly isSynced?: boolean;
}

/** An authenticator inside of Chromium, in place of the device's own; nobody has to touch it. */
export interface VirtualAuthenticator {
  credentials(): Promise<readonly Credential[]>;
  /** One that waits for its owner answers nothing. */
  setPresence(isPresent: boolean): Promise<void>;
}

/** Gives the page an authenticator through the DevTools protocol (domain `WebAuthn`). No other page has it. */
export async function addAuthenticator(
  page: Page,
  { credentials = [], isUserVerified = true, isSynced = false }: VirtualAuthenticatorOptions = {},
): Promise<VirtualAuthenticator> {
  const session = await page.context().newCDPSession(page);
  await session.send("WebAuthn.enable");
  const { authenticatorId } = await session.send("WebAuthn.addVirtualAuthenticator", {
    options: {
      protocol: "ctap2",
      transport: "internal",
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified,
      automaticPresenceSimulation: true,
      defaultBackupEligibility: isSynced,
      defaultBackupState: isSynced,
    },
  });
  for (const credential of credentials) await session.send("WebAuthn.addCredential", { authenticatorId, credential });
  return {
    credentials: () => readCredentials(session, authenticatorId),
    async setPresence(enabled) {
      await session.send("WebAuthn.setAutomaticPresenceSimulation", { authenticatorId, enabled });
    },
  };
}

async function readCredentials(session: CDPSession, authenticatorId: string) {
  return (await session.send("WebAuthn.getCredentials", { authenticatorId })).credentials;
}
