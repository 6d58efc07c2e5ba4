import type { ConfirmationMails } from "../accounts/index.ts";
import { placeInWords } from "../http/index.ts";
import type { MailOutbox, OutgoingMail } from "../mail/index.ts";
import type { NoticesDeps } from "./tell-people.ts";

type Dependencies = Pick<NoticesDeps, "currentDevice" | "placeOf"> & {
  readonly mail: Pick<MailOutbox, "isConfigured" | "enqueue">;
};

/** The mails that accounts ask for, with the device that sent the request which is under way, and where it is. */
export function createConfirmationMails({ mail, currentDevice, placeOf }: Dependencies): ConfirmationMails {
  return {
    isConfigured: mail.isConfigured,
    enqueue(tx, { address, ...asked }) {
      const device = currentDevice();
      const place = placeInWords({ address }, placeOf);
      const origin = { ...(device === undefined ? {} : { device }), ...(place === undefined ? {} : { place }) };
      // That kind and variables belong together the compiler has seen where they were put together.
      const variables = { ...asked.variables, ...origin };
      return mail.enqueue(tx, { ...asked, variables } as OutgoingMail);
    },
  };
}
