import type { Db } from "../../storage/index.ts";
import type { RequestSource } from "../account.ts";
import { createKnownDevices } from "../known-devices.ts";
import type { PasswordHasher } from "../passwords/password-hasher.ts";
import type { PasswordPolicy } from "../passwords/password-policy.ts";
import type { Register } from "../registration.ts";
import {
  type CodeAttempt,
  type CodeOutcome,
  type ConfirmationBase,
  type ConfirmationDependencies,
  createConfirmationBase,
} from "./confirmation-base.ts";
import { createEmailChange, type EmailChange, type EmailChangeDependencies } from "./email-change.ts";
import {
  createPasswordReset,
  type PasswordReset,
  type PasswordResetDependencies,
  type ResetInput,
} from "./password-reset.ts";
import { createRegistrationByMail, type RegistrationByMail } from "./registration-by-mail.ts";

/** What people prove by reading their mail: by a link, or by the code in the same mail. */
export interface AccountsByMail {
  /** Whether mails reach anybody; without, none of this is offered. */
  readonly isAvailable: boolean;
  readonly registration: RegistrationByMail;
  readonly passwordReset: PasswordReset;
  readonly emailChange: EmailChange;
  /** The address that was typed, while its code is waited for; for the page that asks for it. */
  findPending: ConfirmationBase["findPending"];
  /** Counts a try at a code, five for each, and then looks. */
  takeCode(attempt: CodeAttempt): Promise<CodeOutcome>;
  /** Deletes what was not proved in time; returns how many. */
  sweep(): Promise<number>;
}

interface Dependencies extends ConfirmationDependencies {
  readonly passwordPolicy: PasswordPolicy;
  readonly hasher: PasswordHasher;
  readonly register: Register;
  readonly throttle: PasswordResetDependencies["throttle"];
  readonly removeFactorsSince: EmailChangeDependencies["removeFactorsSince"];
  readonly endSessions: PasswordResetDependencies["endSessions"] & EmailChangeDependencies["endSessions"];
  /** Whoever asks for an account after a change sees what is there then. */
  readonly changing: <Parameters extends readonly unknown[], Result>(
    change: (...parameters: Parameters) => Promise<Result>,
  ) => (...parameters: Parameters) => Promise<Result>;
}

export function createAccountsByMail({ changing, ...deps }: Dependencies): AccountsByMail {
  const base = createConfirmationBase(deps);
  const knownDevices = createKnownDevices(deps);
  const distrustBrowsers = (accountId: string, tx: Db): Promise<void> => knownDevices.distrust(accountId, tx);
  const passwordReset = createPasswordReset({ ...deps, distrustBrowsers }, base);
  const emailChange = createEmailChange({ ...deps, distrustBrowsers }, base);
  return {
    isAvailable: deps.mails.isConfigured,
    registration: createRegistrationByMail(deps, base),
    passwordReset: {
      ...passwordReset,
      complete: changing((token: string, input: ResetInput) => passwordReset.complete(token, input)),
    },
    emailChange: {
      ...emailChange,
      complete: changing((...given: Parameters<EmailChange["complete"]>) => emailChange.complete(...given)),
      undo: changing((token: string, source: RequestSource) => emailChange.undo(token, source)),
    },
    findPending: (id, purposes) => base.findPending(id, purposes),
    takeCode: (attempt) => base.takeCode(attempt),
    sweep: () => base.sweep(),
  };
}
