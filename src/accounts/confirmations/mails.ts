import type { Db } from "../../storage/index.ts";

/** What a mail lets its reader do: `token` is for a link; the code for whoever reads mail on another device. */
interface Proofs {
  readonly token: string;
  readonly code: string;
}

/** A mail that tells, and proves nothing. */
interface Nothing {
  readonly token?: undefined;
}

interface MailContents {
  readonly "confirm.registration": Proofs;
  readonly "confirm.verification": Proofs;
  readonly "confirm.email": Proofs;
  readonly "confirm.password_reset": Proofs;
  readonly "confirm.invitation": { readonly token: string };
  /** To the address from before. */
  readonly "confirm.email_changed": { readonly token?: string };
  /** Somebody wanted to create an account, or to give theirs this address; there is one. */
  readonly "confirm.have_account": Nothing;
  /** Somebody wanted to reset the password of an account; there is none that can be used. */
  readonly "confirm.no_account": Nothing;
}

export type ConfirmationMail = {
  readonly [Kind in keyof MailContents]: {
    readonly kind: Kind;
    readonly to: string;
    readonly locale: string | undefined;
    /** Of whoever asked for it. */
    readonly address?: string | undefined;
    readonly variables: MailContents[Kind];
  };
}[keyof MailContents];

/** How accounts send mail: what such a mail looks like is known elsewhere. */
export interface ConfirmationMails {
  /** Whether mails reach anybody; without, nothing of all this is offered. */
  readonly isConfigured: boolean;
  /** In the transaction of the change that the mail belongs to. */
  enqueue(tx: Db, mail: ConfirmationMail): Promise<void>;
}
