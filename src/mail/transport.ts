import type { RenderedMail } from "./render-mail.ts";

/** A mail on its way to one address. */
export interface MailMessage extends RenderedMail {
  /** Of its row in the outbox; the Message-ID is made of it. */
  readonly id: string;
  readonly to: string;
}

export type SendResult =
  | { readonly type: "accepted" }
  /** The server will not have this mail, however often it is asked. */
  | { readonly type: "refused"; readonly reason: string }
  /** Nobody has it yet, as far as we know. */
  | { readonly type: "failed"; readonly reason: string };

/** Whether the way is open, looked at without sending anything. */
export type WayOut =
  | { readonly type: "open" }
  | { readonly type: "unauthenticated" | "untrusted" | "unreachable"; readonly reason: string };

export interface MailTransport {
  /** Never throws, and always ends. */
  send(message: MailMessage, signal: AbortSignal): Promise<SendResult>;
}
