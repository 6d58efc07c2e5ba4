import type { RequestSource } from "../accounts/index.ts";

/** A factor that an account has. Names are the person's own. */
export interface EnrolledDevice {
  readonly id: string;
  readonly name: string;
  readonly addedAt: Date;
  readonly lastUsedAt: Date | undefined;
}

export interface EnrolledPasskey extends EnrolledDevice {
  /** Synchronized between devices of the person (by its maker), or bound to one. */
  readonly isSynced: boolean;
  readonly isBackedUp: boolean;
  /** The maker's name for the kind of authenticator, where it is known by its AAGUID. */
  readonly authenticator: string | undefined;
}

/** What an account has to prove who its person is, beside the password. */
export interface FactorOverview {
  readonly totpDevices: readonly EnrolledDevice[];
  readonly passkeys: readonly EnrolledPasskey[];
  /** `undefined` when none were ever made. */
  readonly recoveryCodes:
    | {
        readonly left: number;
        readonly total: number;
        readonly madeAt: Date;
        /** Made a moment ago, and the person has not said yet that they are saved. */
        readonly isUnconfirmed: boolean;
      }
    | undefined;
}

/** From where a factor is tried. */
export interface FactorSource extends RequestSource {
  readonly clientId?: string | undefined;
  /** Names the browser where it is known to this account (`KnownDevice.id`): it has a budget of its own. */
  readonly knownDevice?: string | undefined;
}

/** `paused`: not looked at, after too many wrong ones. */
export type FactorOutcome<Accepted extends object = object> =
  | ({ readonly outcome: "accepted" } & Accepted)
  /** `wasUsed`: it was right, and accepted before. For finding out who pressed a button twice; nobody is told. */
  | { readonly outcome: "refused"; readonly wasUsed: boolean }
  /** `isSpent`: waiting does not help; a browser that is known, a passkey or an operator does. */
  | { readonly outcome: "paused"; readonly retryAfterSeconds: number; readonly isSpent?: true };

export interface TotpEnrollment {
  /** Base32, 32 characters, upper case: for typing. */
  readonly secret: string;
  /** `otpauth://totp/…` with issuer and account: for a QR code. */
  readonly uri: string;
}

/** Codes of authenticator apps (RFC 6238): 30 seconds, 6 digits, SHA-1. */
export interface TotpDevices {
  /**
   * The secret of a device that is to be added; the same for half an hour, until it is confirmed.
   *
   * @param binding in what it is shown, such as an interaction's uid, and of use only there: of two who know a password
   *   neither learns what the other one adds.
   * @throws AppError FACTOR_LIMIT_REACHED for an account that has ten
   */
  beginEnrollment(account: { readonly id: string; readonly email: string }, binding: string): Promise<TotpEnrollment>;
  /**
   * Adds the device that proves by a first code that it has the secret. The account's first factor of any kind brings
   * recovery codes along: see {@link RecoveryCodes.reveal}. `expired`: begin again.
   *
   * @throws AppError INPUT_INVALID for a name that is empty or longer than 60 characters, FACTOR_LIMIT_REACHED
   */
  confirmEnrollment(
    accountId: string,
    attempt: {
      readonly binding: string;
      readonly code: string;
      readonly name: string;
      readonly source: FactorSource;
    },
  ): Promise<FactorOutcome | { readonly outcome: "expired" }>;
  /** Counts, looks, and accepts a code once, whatever its spelling. `code` is untrusted. */
  verify(accountId: string, attempt: { readonly code: string; readonly source: FactorSource }): Promise<FactorOutcome>;
}

/** Ten codes for when the other factors are out of reach. Each works once. */
export interface RecoveryCodes {
  /** A new set, in the place of the old one. @throws AppError FACTOR_NOT_FOUND for an account without any factor */
  replace(accountId: string, source: FactorSource): Promise<void>;
  /** The codes, while the person has not said that they are saved, and for half an hour at the most. */
  reveal(accountId: string): Promise<readonly string[] | undefined>;
  /** The person has saved them: nobody sees them again. */
  confirmSaved(accountId: string): Promise<void>;
  verify(
    accountId: string,
    attempt: { readonly code: string; readonly source: FactorSource },
  ): Promise<FactorOutcome<{ readonly left: number }>>;
}

/** WebAuthn Level 3. Discoverable, with user verification, without attestation. */
export interface Passkeys {
  /**
   * What the browser needs for making one, as JSON (`PublicKeyCredentialCreationOptionsJSON`).
   *
   * @param binding what the answer has to belong to, such as an interaction's uid: it is good for no other.
   * @throws AppError FACTOR_LIMIT_REACHED for an account that has twenty
   */
  creationOptions(
    account: { readonly id: string; readonly email: string; readonly name: string },
    binding: string,
  ): Promise<object>;
  /**
   * `response` is the browser's JSON as text, untrusted. The first factor brings recovery codes along.
   *
   * @throws AppError INPUT_INVALID for a name that is empty or longer than 60 characters, FACTOR_LIMIT_REACHED
   */
  register(
    accountId: string,
    attempt: {
      readonly binding: string;
      readonly response: string;
      readonly name: string;
      readonly source: FactorSource;
    },
  ): Promise<{ readonly outcome: "accepted"; readonly isSynced: boolean } | { readonly outcome: "refused" }>;
  /** For any account, or as the second factor of one (`PublicKeyCredentialRequestOptionsJSON`). */
  requestOptions(binding: string, accountId?: string): Promise<object>;
  /**
   * Whose it is, and of which kind. With `accountId` only its passkeys are accepted. Whether the account may sign in is
   * not looked at.
   */
  verify(attempt: {
    readonly binding: string;
    readonly response: string;
    readonly accountId?: string | undefined;
    readonly source: FactorSource;
  }): Promise<
    | { readonly outcome: "accepted"; readonly accountId: string; readonly proof: "passkey_hwk" | "passkey_swk" }
    | { readonly outcome: "refused" }
  >;
}

/** Everything that proves who somebody is, beside the password. */
export interface Factors {
  readonly totp: TotpDevices;
  readonly recoveryCodes: RecoveryCodes;
  readonly passkeys: Passkeys;
  overview(accountId: string): Promise<FactorOverview>;
  /** Whether there is a device or a passkey: all that most requests need to know. */
  hasAny(accountId: string): Promise<boolean>;
  /** @throws AppError FACTOR_NOT_FOUND, INPUT_INVALID for a name that is empty or longer than 60 characters */
  rename(accountId: string, factorId: string, name: string): Promise<void>;
  /**
   * Removes a device or a passkey. With the last of them go the recovery codes, which are of no use alone.
   *
   * @throws AppError FACTOR_NOT_FOUND
   */
  remove(accountId: string, factorId: string, source: FactorSource): Promise<void>;
  /**
   * Removes all factors and ends a pause, for a person who has lost everything; returns whether there was a device or a
   * passkey.
   */
  reset(accountId: string): Promise<boolean>;
  /**
   * Removes what was added, and codes that were made, since then: whoever had taken the account over is not to keep its
   * person out with a factor of their own.
   */
  removeSince(accountId: string, since: Date, source: FactorSource): Promise<void>;
  /** Seals secrets of apps anew that an older `LATCHKEY_SECRET` sealed; returns how many. */
  reseal(): Promise<number>;
  /** Deletes what has expired; returns how many rows. */
  sweep(): Promise<number>;
}
