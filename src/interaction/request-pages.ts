import type { Context } from "koa";
import {
  accessInWords,
  allowFormAction,
  allowImageFrom,
  type FormTrouble,
  initialOf,
  type Message,
  message,
  PASSKEY_SCRIPTS,
} from "../http/index.ts";
import { interactionUrl, type PendingInteraction, type RequestingClient } from "../oidc/index.ts";
import type { Account } from "../accounts/index.ts";
import type { InteractionDependencies } from "./ports.ts";

/** The addresses of one interaction's pages. */
export interface InteractionUrls {
  readonly page: string;
  readonly signIn: string;
  readonly createAccount: string;
  readonly confirmEmail: string;
  readonly newAccount: string;
  readonly proveEmail: string;
  readonly passkey: string;
  readonly secondFactor: string;
  readonly recoveryCode: string;
  readonly recoveryUsed: string;
  readonly enrollApp: string;
  readonly enrollPasskey: string;
  readonly recoveryCodes: string;
  readonly recoveryCodesFile: string;
  readonly decline: string;
  readonly consent: string;
  readonly switch: string;
}

export function urlsOf({ uid, restartToken }: PendingInteraction): InteractionUrls {
  const url = (step: string): string => interactionUrl(uid, restartToken, step);
  return {
    page: url(""),
    signIn: url("/sign-in"),
    createAccount: url("/create-account"),
    confirmEmail: url("/confirm-email"),
    newAccount: url("/new-account"),
    proveEmail: url("/prove-email"),
    passkey: url("/passkey"),
    secondFactor: url("/second-factor"),
    recoveryCode: url("/recovery-code"),
    recoveryUsed: url("/recovery-used"),
    enrollApp: url("/enroll-app"),
    enrollPasskey: url("/enroll-passkey"),
    recoveryCodes: url("/recovery-codes"),
    recoveryCodesFile: url("/recovery-codes.txt"),
    decline: url("/decline"),
    consent: url("/consent"),
    switch: url("/switch"),
  };
}

interface ByMail {
  readonly email: string;
  readonly trouble: FormTrouble | undefined;
}

/** Draws the pages of an authorization request that are not of a factor. */
export interface RequestPages {
  showSignIn(ctx: Context, interaction: PendingInteraction, trouble?: FormTrouble): Promise<void>;
  showCreateAccount(ctx: Context, interaction: PendingInteraction, trouble?: FormTrouble): void;
  /** Asks for the code of the mail that went to an address. */
  showMailCode(ctx: Context, interaction: PendingInteraction, page: ByMail & { readonly id: string }): void;
  /** Asks for name and password of whoever has proved an address. */
  showNewcomer(ctx: Context, interaction: PendingInteraction, page: ByMail & { readonly token: string }): void;
  showConsent(ctx: Context, interaction: PendingInteraction, account: Account): void;
}

type RequestPagesDependencies = Pick<
  InteractionDependencies,
  "views" | "csrf" | "accounts" | "factors" | "registration" | "verifiesEmail"
>;

export function createRequestPages(dependencies: RequestPagesDependencies): RequestPages {
  const { views, csrf, accounts, factors, registration, verifiesEmail } = dependencies;

  /** What all three pages have in common; also lets their forms lead back to the app. */
  function frame(ctx: Context, interaction: PendingInteraction) {
    if (interaction.redirectUri !== undefined) allowFormAction(ctx, [interaction.redirectUri]);
    return {
      client: showableClient(ctx, interaction.client),
      urls: urlsOf(interaction),
      hidden: { csrf: csrf.token(interaction.uid) },
    };
  }

  function draw(ctx: Context, { uiLocales }: PendingInteraction, { view, title, data, trouble }: Drawn): void {
    const { status = 200, ...errors } = trouble ?? {};
    views.render(ctx, view, { title, uiLocales, data, ...errors }, { status });
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
        resetUrl: accounts.byMail.isAvailable ? resetUrl(interaction) : undefined,
        reauthenticating: signedIn,
        passkeyOptions: JSON.stringify(await factors.passkeys.requestOptions(interaction.uid, signedIn?.id)),
      };
      const { status = 200, typed = { email: prefilled }, ...errors } = trouble ?? {};
      const title = message("signIn.title");
      views.render(ctx, "sign-in", { title, uiLocales, typed, data, scripts: PASSKEY_SCRIPTS, ...errors }, { status });
    },
    showCreateAccount(ctx, interaction, trouble) {
      const { status = 200, typed, ...errors } = trouble ?? {};
      const { uiLocales } = interaction;
      const title = message("createAccount.title");
      const data = frame(ctx, interaction);
      const view = verifiesEmail ? "create-account-email" : "create-account";
      views.render(ctx, view, { title, uiLocales, typed, data, ...errors }, { status });
    },
    showMailCode(ctx, interaction, { email, id, trouble }) {
      const { createAccount, confirmEmail } = urlsOf(interaction);
      const data = {
        ...frame(ctx, interaction),
        email,
        submitUrl: `${confirmEmail}&id=${id}`,
        againUrl: createAccount,
      };
      draw(ctx, interaction, { view: "mail-code", title: message("mailCode.title"), data, trouble });
    },
    showNewcomer(ctx, interaction, { email, token, trouble }) {
      const submitUrl = `${urlsOf(interaction).newAccount}&token=${encodeURIComponent(token)}`;
      const data = { ...frame(ctx, interaction), email, submitUrl };
      draw(ctx, interaction, { view: "new-account", title: message("newAccount.title"), data, trouble });
    },
    showConsent(ctx, interaction, account) {
      const { client, access, uiLocales } = interaction;
      const data = { ...frame(ctx, interaction), account, asks: accessInWords(access, account) };
      views.render(ctx, "consent", { title: message("consent.title", { client: client.name }), uiLocales, data });
    },
  };
}

interface Drawn {
  readonly view: string;
  readonly title: Message;
  readonly data: object;
  readonly trouble: FormTrouble | undefined;
}

/** The page for a forgotten password, which leads back here. */
function resetUrl({ restartToken }: PendingInteraction): string {
  return `/reset-password?r=${encodeURIComponent(restartToken)}`;
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
