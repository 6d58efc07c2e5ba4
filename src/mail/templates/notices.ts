/** What people are told of their account, whoever did it. */
import { z } from "zod";
import { type Message, message } from "../../http/index.ts";
import { defineMail, type Fact, type MailContent } from "../template.ts";
import { factsOfOrigin, origin, sampleOrigin, verbatim } from "./origin.ts";

const DAY_SECONDS = 24 * 60 * 60;
/** Still worth knowing after a weekend without a mail server; then the page of the account has to do. */
const lifetimeSeconds = 3 * DAY_SECONDS;

/** Something that happened: when, and from where as far as anybody knows. */
const happening = origin.extend({ atMs: z.number() });
type Happening = z.infer<typeof happening>;

const withFactor = happening.extend({ factor: z.enum(["totp", "passkey"]) });

const sample: Happening = { ...sampleOrigin, atMs: Date.UTC(2026, 10, 30, 9, 12) };

function factsOf({ atMs, ...from }: Happening, extra: readonly Fact[] = []): readonly Fact[] {
  const when = { label: message("mail.when"), value: message("verbatim", { text: { instantMs: atMs } }) };
  return [when, ...extra, ...factsOfOrigin(from)];
}

interface Notice extends Pick<MailContent, "subject" | "paragraphs"> {
  readonly facts: readonly Fact[];
  readonly advice?: Message;
}

/** All of them end at the page that says what to do about what one has not done. */
function notice({ subject, paragraphs, facts, advice = message("mail.notYou") }: Notice): MailContent {
  const action = { label: message("mail.notYou.button"), path: "/account/activity/not-me" };
  return { subject, paragraphs, facts, advice, action };
}

export const newDevice = defineMail({
  variables: happening.extend({ client: z.string().optional() }),
  lifetimeSeconds,
  sample: { ...sample, client: "Example Shop" },
  compose({ client, ...happened }, { brand }) {
    const app = client === undefined ? [] : [{ label: message("mail.app"), value: verbatim(client) }];
    return notice({
      subject: message("mail.newDevice.subject", { brand }),
      paragraphs: [message("mail.newDevice.text")],
      facts: factsOf(happened, app),
    });
  },
});

export const passwordChanged = defineMail({
  variables: happening,
  lifetimeSeconds,
  sample,
  compose: (happened, { brand }) =>
    notice({
      subject: message("mail.passwordChanged.subject", { brand }),
      paragraphs: [message("mail.passwordChanged.text")],
      facts: factsOf(happened),
    }),
});

export const factorAdded = defineMail({
  variables: withFactor,
  lifetimeSeconds,
  sample: { ...sample, factor: "passkey" },
  compose: ({ factor, ...happened }, { brand }) =>
    notice({
      subject: message("mail.factorAdded.subject", { brand }),
      paragraphs: [factor === "totp" ? message("mail.factorAdded.app") : message("mail.factorAdded.passkey")],
      facts: factsOf(happened),
    }),
});

export const factorRemoved = defineMail({
  variables: withFactor,
  lifetimeSeconds,
  sample: { ...sample, factor: "totp" },
  compose: ({ factor, ...happened }, { brand }) =>
    notice({
      subject: message("mail.factorRemoved.subject", { brand }),
      paragraphs: [factor === "totp" ? message("mail.factorRemoved.app") : message("mail.factorRemoved.passkey")],
      facts: factsOf(happened),
    }),
});

export const recoveryCodeUsed = defineMail({
  variables: happening.extend({ left: z.number() }),
  lifetimeSeconds,
  sample: { ...sample, left: 4 },
  compose: ({ left, ...happened }, { brand }) =>
    notice({
      subject: message("mail.recoveryCodeUsed.subject", { brand }),
      paragraphs: [
        message("mail.recoveryCodeUsed.text"),
        message("mail.recoveryCodeUsed.left", { count: String(left) }),
      ],
      facts: factsOf(happened),
    }),
});

export const accessReused = defineMail({
  variables: happening.extend({ client: z.string() }),
  lifetimeSeconds,
  sample: { atMs: sample.atMs, client: "Example Shop" },
  compose: ({ client, ...happened }, { brand }) =>
    notice({
      subject: message("mail.accessReused.subject", { brand }),
      paragraphs: [message("mail.accessReused.text", { client })],
      facts: factsOf(happened),
      advice: message("mail.accessReused.advice"),
    }),
});

export const factorsReset = defineMail({
  variables: happening,
  lifetimeSeconds,
  sample: { atMs: sample.atMs },
  compose: (happened, { brand }) =>
    notice({
      subject: message("mail.factorsReset.subject", { brand }),
      paragraphs: [message("mail.factorsReset.text", { brand })],
      facts: factsOf(happened),
      advice: message("mail.factorsReset.notYou"),
    }),
});
