import type { z } from "zod";
import type { Message } from "../http/index.ts";

/** One line of what is told as a list, such as "Device: Firefox on Linux". */
export interface Fact {
  readonly label: Message;
  readonly value: Message;
}

/** What a mail says, in no language yet. Its text and its HTML are made of the same. */
export interface MailContent {
  readonly subject: Message;
  readonly paragraphs: readonly Message[];
  readonly facts?: readonly Fact[] | undefined;
  /** Digits to be typed somewhere else. */
  readonly code?: string | undefined;
  /** What to do, said before where to do it. */
  readonly advice?: Message | undefined;
  /** Why somebody gets it who may have no account; for all others the mail says that they have one. */
  readonly why?: "typed" | "invited" | undefined;
  /** The one thing to do: a page of ours, by its path with its query. */
  readonly action?: { readonly label: Message; readonly path: string } | undefined;
}

/** What a template may say beside its own variables. */
export interface MailSurroundings {
  readonly brand: string;
}

/** One kind of mail. */
export interface MailTemplate<Variables = unknown> {
  /** What it is filled with, as it is read from the outbox: perhaps written by another version. */
  readonly variables: z.ZodType<Variables>;
  /** After that it is not sent any more: no longer than what it says, or leads to, holds. */
  readonly lifetimeSeconds: number;
  readonly compose: (variables: Variables, surroundings: MailSurroundings) => MailContent;
  /** For the preview and the tests: all that there can be. */
  readonly sample: Variables;
}

/** Lets the compiler find out the variables. */
export function defineMail<Variables>(template: MailTemplate<Variables>): MailTemplate<Variables> {
  return template;
}
