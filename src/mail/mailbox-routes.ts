import type { Context, Middleware } from "koa";
import { AppError } from "../core/index.ts";
import { allowFrameOfOurs, createRoutes, isolateDocument, message, type RouteStep, type Views } from "../http/index.ts";
import type { KeptMail, Mailbox } from "./mailbox.ts";

/** Every route of this folder; a test fails when the security table does not list one. */
export const MAILBOX_ROUTES = ["GET /dev/mail", "GET /dev/mail/:id", "GET /dev/mail/:id/html"] as const;

export interface MailboxRoutesDeps {
  readonly mailbox: Mailbox;
  readonly views: Views;
  readonly issuer: string;
}

/** The mailbox of an embedded server. There are no such pages anywhere else: whoever reads it can be anybody in it. */
export function createMailboxRoutes({ mailbox, views, issuer }: MailboxRoutesDeps): Middleware {
  const showList: RouteStep = async (ctx) => {
    const mails = mailbox.list().map(({ id, subject, to, atMs }) => ({ path: `/dev/mail/${id}`, subject, to, atMs }));
    views.render(ctx, "mailbox", { title: message("mailbox.title"), data: { mails } });
  };

  const showMail: RouteStep = async (ctx, params) => {
    const { id, subject, to, atMs, text } = find(params);
    allowFrameOfOurs(ctx);
    const data = { to, atMs, parts: withLinks(text, issuer), htmlPath: `/dev/mail/${id}/html` };
    views.render(ctx, "mailbox-mail", { title: message("verbatim", { text: subject }), data });
  };

  const showHtml: RouteStep = async (ctx: Context, params) => {
    const { html } = find(params);
    isolateDocument(ctx);
    ctx.type = "html";
    ctx.set("Cache-Control", "no-store");
    // A link is to leave the frame that the mail is shown in.
    ctx.body = html.replace("<head>", '<head>\n<base target="_top">');
  };

  function find({ id = "" }: Readonly<Record<string, string>>): KeptMail {
    const mail = mailbox.find(id);
    if (mail === undefined) throw new AppError("PAGE_NOT_FOUND", { detail: "there is no such mail" });
    return mail;
  }

  return createRoutes({
    "GET /dev/mail": showList,
    "GET /dev/mail/:id": showMail,
    "GET /dev/mail/:id/html": showHtml,
  } satisfies Record<(typeof MAILBOX_ROUTES)[number], RouteStep>);
}

interface TextPart {
  readonly text: string;
  readonly href?: string;
}

/** The text of a mail with its links, as a mail program would show it. */
function withLinks(text: string, issuer: string): readonly TextPart[] {
  const parts = text.split(/(https?:\/\/\S+)/);
  return parts.map((part) => (part.startsWith(`${issuer}/`) ? { text: part, href: part } : { text: part }));
}
