import type { Context } from "koa";
import {
  allowFormAction,
  allowImageFrom,
  type FieldError,
  type FormFields,
  initialOf,
  type Message,
  message,
} from "../http/index.ts";
import { interactionUrl, type PendingInteraction, type RequestedAccess, type RequestingClient } from "../oidc/index.ts";
import type { Account } from "../accounts/index.ts";
import type { InteractionDependencies } from "./ports.ts";

/** What went wrong with the form that is shown again. */
export interface FormTrouble {
  readonly status: number;
  readonly alert?: Message;
  readonly fieldErrors?: readonly FieldError[];
  readonly typed: FormFields;
}

/** The addresses of one interaction's pages. */
export interface InteractionUrls {
  readonly page: string;
  readonly signIn: string;
  readonly createAccount: string;
  readonly consent: string;
  readonly switch: string;
}

export function urlsOf({ uid, restartToken }: PendingInteraction): InteractionUrls {
  const url = (step: string): string => interactionUrl(uid, restartToken, step);
  return {
    page: url(""),
    signIn: url("/sign-in"),
    createAccount: url("/create-account"),
    consent: url("/consent"),
    switch: url("/switch"),
  };
}

/** Draws the three pages of an authorization request. */
export interface RequestPages {
  showSignIn(ctx: Context, interaction: PendingInteraction, trouble?: FormTrouble): Promise<void>;
  showCreateAccount(ctx: Context, interaction: PendingInteraction, trouble?: FormTrouble): void;
  showConsent(ctx: Context, interaction: PendingInteraction, account: Account): void;
}

type RequestPagesDependencies = Pick<InteractionDependencies, "views" | "csrf" | "accounts" | "registration">;

export function createRequestPages({ views, csrf, accounts, registration }: RequestPagesDependencies): RequestPages {
  /** What all three pages have in common; also lets their forms lead back to the app. */
  function frame(ctx: Context, interaction: PendingInteraction) {
    if (interaction.redirectUri !== undefined) allowFormAction(ctx, [interaction.redirectUri]);
    return {
      client: showableClient(ctx, interaction.client),
      urls: urlsOf(interaction),
      hidden: { csrf: csrf.token(interaction.uid) },
    };
  }

  return {
    async showSignIn(ctx, interaction, trouble) {
      const { accountId, isReauthentication, loginHint, uiLocales } = interaction;
      const signedIn = isReauthentication && accountId !== undefined ? await accounts.find(accountId) : undefined;
      const prefilled =
        signedIn?.email ?? (loginHint !== undefined && looksLikeEmail(loginHint) ? loginHint : undefined);
      const data = {
        ...frame(ctx, interaction),
        // Whoever is asked to prove who they are has an account.
        mayRegister: registration === "open" && signedIn === undefined,
        reauthenticating: signedIn,
      };
      const { status = 200, typed = { email: prefilled }, ...errors } = trouble ?? {};
      views.render(ctx, "sign-in", { title: message("signIn.title"), uiLocales, typed, data, ...errors }, { status });
    },
    showCreateAccount(ctx, interaction, trouble) {
      const { status = 200, typed, ...errors } = trouble ?? {};
      const { uiLocales } = interaction;
      const title = message("createAccount.title");
      const data = frame(ctx, interaction);
      views.render(ctx, "create-account", { title, uiLocales, typed, data, ...errors }, { status });
    },
    showConsent(ctx, interaction, account) {
      const { client, access, uiLocales } = interaction;
      const data = { ...frame(ctx, interaction), account, asks: asksOf(access, account) };
      views.render(ctx, "consent", { title: message("consent.title", { client: client.name }), uiLocales, data });
    },
  };
}

/** Enough to tell an address from a user name or a phone number; what is valid, the accounts decide. */
export function looksLikeEmail(text: string): boolean {
  return text.length <= 320 && /^[^\s@]+@[^\s@]+$/.test(text);
}

interface ShowableClient {
  readonly name: string;
  readonly host: string;
  /** Stands in for a logo. */
  readonly initial: string;
  readonly logoUri: string | undefined;
  readonly policyUri: string | undefined;
  readonly termsUri: string | undefined;
}

/** `undefined` for our own account page, which is no app. A logo is shown only from https, as the policy demands. */
export function showableClient(ctx: Context, client: RequestingClient | undefined): ShowableClient | undefined {
  if (client === undefined || client.isOurs) return undefined;
  const { name, host, policyUri, termsUri } = client;
  const logoUri = client.logoUri?.startsWith("https://") === true ? client.logoUri : undefined;
  if (logoUri !== undefined) allowImageFrom(ctx, logoUri);
  return { name, host, initial: initialOf(name), logoUri, policyUri, termsUri };
}

/** One thing that the app asks for. */
interface Ask {
  readonly icon: "person" | "mail" | "clock" | "service";
  readonly title: Message;
  readonly detail: Message | undefined;
}

function asksOf({ identityScopes, resources }: RequestedAccess, account: Account): readonly Ask[] {
  const atResources = resources.flatMap((resource) =>
    resource.scopes.map(({ name, description }): Ask => ({
      icon: "service",
      title: message("verbatim", { text: description === "" ? name : description }),
      detail: message("consent.resource", { resource: resource.name }),
    })),
  );
  return [...identityScopes.map((scope) => askOfScope(scope, account)), ...atResources];
}

function askOfScope(scope: string, { name, email }: Account): Ask {
  switch (scope) {
    case "profile":
      return { icon: "person", title: message("consent.profile"), detail: message("verbatim", { text: name }) };
    case "email":
      return { icon: "mail", title: message("consent.email"), detail: message("verbatim", { text: email }) };
    case "offline_access":
      return { icon: "clock", title: message("consent.offline"), detail: message("consent.offline.detail") };
    default:
      // Nobody may be asked to allow what the page does not show, so that a scope without words shows its name.
      return { icon: "service", title: message("verbatim", { text: scope }), detail: undefined };
  }
}
