/** What lets people prove that they read their mail. None of it says more than whoever typed the address may know. */
import { z } from "zod";
import { type Message, message } from "../../http/index.ts";
import { defineMail, type MailContent } from "../template.ts";
import { factsOfOrigin, origin, sampleOrigin } from "./origin.ts";

const MINUTE_SECONDS = 60;
const DAY_SECONDS = 24 * 60 * 60;
/** As long as what they lead to: `CONFIRMATION_SECONDS` of `accounts`. */
const SOON_SECONDS = 30 * MINUTE_SECONDS;
const INVITATION_SECONDS = 7 * DAY_SECONDS;
const UNDO_SECONDS = 3 * DAY_SECONDS;

const withToken = origin.extend({ token: z.string() });
const withProofs = withToken.extend({ code: z.string() });

const token = "Zm9yIHRoZSBwcmV2aWV3IQ.bm90aGluZyB0aGF0IHlvdSBjb3VsZCB1c2UsIGp1c3Qg";
const sample = { ...sampleOrigin, token, code: "482913" };

const linkTo = (path: string, proof: string): string => `${path}?token=${encodeURIComponent(proof)}`;
/** In two groups, as people read it out and type it. */
const inGroups = (code: string): string => `${code.slice(0, 3)} ${code.slice(3)}`;

interface Proving extends Pick<MailContent, "subject" | "why"> {
  readonly text: Message;
  readonly button: Message;
  readonly path: string;
  /** What to do about what one has not asked for. */
  readonly notYou?: Message;
}

/** A mail with a link, and with a code for whoever reads it on another device. */
function proving(says: (brand: string, code: string) => Proving) {
  return defineMail({
    variables: withProofs,
    lifetimeSeconds: SOON_SECONDS,
    sample,
    compose({ token: proof, code, ...from }, { brand }): MailContent {
      const grouped = inGroups(code);
      const { subject, text, button, path, why, notYou = message("mail.proof.notYou") } = says(brand, grouped);
      const action = { label: button, path: linkTo(path, proof) };
      const paragraphs = [text, message("mail.proof.how")];
      return { subject, paragraphs, code: grouped, facts: factsOfOrigin(from), advice: notYou, action, why };
    },
  });
}

export const registration = proving((brand, code) => ({
  subject: message("mail.registration.subject", { code, brand }),
  text: message("mail.registration.text", { brand }),
  button: message("mail.registration.button"),
  path: "/create-account/finish",
  why: "typed",
}));

/** Of the address that an account has. */
export const verification = proving((brand, code) => ({
  subject: message("mail.email.subject", { code, brand }),
  text: message("mail.email.text", { brand }),
  button: message("mail.email.button"),
  path: "/confirm-email",
}));

/** Of another address, for an account. */
export const email = proving((brand, code) => ({
  subject: message("mail.email.subject", { code, brand }),
  text: message("mail.email.text", { brand }),
  button: message("mail.email.button"),
  path: "/account/email/confirm",
  why: "typed",
}));

export const passwordReset = proving((brand, code) => ({
  subject: message("mail.passwordReset.subject", { code, brand }),
  text: message("mail.passwordReset.text", { brand }),
  button: message("mail.passwordReset.button"),
  path: "/reset-password/new",
  notYou: message("mail.passwordReset.notYou"),
}));

export const invitation = defineMail({
  variables: z.object({ token: z.string() }),
  lifetimeSeconds: INVITATION_SECONDS,
  sample: { token },
  compose: ({ token: proof }, { brand }) => ({
    subject: message("mail.invitation.subject", { brand }),
    paragraphs: [message("mail.invitation.text", { brand })],
    advice: message("mail.invitation.notYou"),
    action: { label: message("mail.registration.button"), path: linkTo("/create-account/finish", proof) },
    why: "invited",
  }),
});

export const emailChanged = defineMail({
  variables: origin.extend({ token: z.string().optional() }),
  lifetimeSeconds: UNDO_SECONDS,
  sample: { ...sampleOrigin, token },
  compose: ({ token: proof, ...from }, { brand }) => ({
    subject: message("mail.emailChanged.subject", { brand }),
    paragraphs: [message("mail.emailChanged.text", { brand })],
    facts: factsOfOrigin(from),
    ...(proof === undefined
      ? {}
      : {
          advice: message("mail.emailChanged.notYou"),
          action: { label: message("mail.emailChanged.button"), path: linkTo("/undo-email-change", proof) },
        }),
  }),
});

export const haveAccount = defineMail({
  variables: origin,
  lifetimeSeconds: SOON_SECONDS,
  sample: sampleOrigin,
  compose: (from, { brand }) => ({
    subject: message("mail.haveAccount.subject", { brand }),
    paragraphs: [message("mail.haveAccount.text", { brand })],
    facts: factsOfOrigin(from),
    advice: message("mail.haveAccount.advice"),
    action: { label: message("mail.haveAccount.button"), path: "/account" },
  }),
});

export const noAccount = defineMail({
  variables: origin,
  lifetimeSeconds: SOON_SECONDS,
  sample: sampleOrigin,
  compose: (from, { brand }) => ({
    subject: message("mail.noAccount.subject", { brand }),
    paragraphs: [message("mail.noAccount.text", { brand })],
    facts: factsOfOrigin(from),
    advice: message("mail.noAccount.advice"),
    action: { label: message("mail.noAccount.button"), path: "/reset-password" },
    why: "typed",
  }),
});
