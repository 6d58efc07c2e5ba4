/**
 * What somebody is to prove by reading the mail of an address. `verification`: the one that their account has. `email`:
 * another one, for it.
 */
export type ConfirmationPurpose =
  | "registration"
  | "invitation"
  | "verification"
  | "email"
  | "email_undo"
  | "password_reset";

const MINUTE_SECONDS = 60;
const DAY_SECONDS = 24 * 60 * 60;

/** How long each may be used (ASVS 6.4.1, and 6.5.5 for codes). */
export const CONFIRMATION_SECONDS = {
  registration: 30 * MINUTE_SECONDS,
  invitation: 7 * DAY_SECONDS,
  verification: 30 * MINUTE_SECONDS,
  email: 30 * MINUTE_SECONDS,
  email_undo: 3 * DAY_SECONDS,
  password_reset: 30 * MINUTE_SECONDS,
} as const satisfies Record<ConfirmationPurpose, number>;

/** What waits for its proof. */
export interface Confirmation {
  readonly id: string;
  readonly purpose: ConfirmationPurpose;
  /** `undefined` where there is no account: none yet, or none at all. */
  readonly accountId: string | undefined;
  /** The address as it was typed. */
  readonly email: string;
  readonly emailFolded: string;
  /** Where the person came from, to go on there. */
  readonly origin: ConfirmationOrigin;
  /** Whether a second factor was proved for it. */
  readonly isFactorProved: boolean;
  readonly createdAt: Date;
}

/** What is to be noted of one; the rest is made. */
export type ConfirmationRequest = Omit<Confirmation, "id" | "createdAt" | "isFactorProved">;

/** The authorization request that a person was about to answer. */
export interface ConfirmationOrigin {
  readonly interactionUid?: string | undefined;
  readonly restartToken?: string | undefined;
}
