import type { Context } from "koa";
import {
  accessInWords,
  allowFormAction,
  allowImageFrom,
  type FormTrouble,
  initialOf,
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

/** Draws the three pages of an authorization request. */
export interface RequestPages {
  showSignIn(ctx: Context, interaction: PendingInteraction, trouble?: FormTrouble): Promise<void>;
  showCreateAccount(ctx: Context, interaction: PendingInteraction, trouble?: FormTrouble): void;
  showConsent(ctx: Context, interaction: PendingInteraction, account: Account): void;
}

type RequestPagesDependencies = Pick<
  InteractionDependencies,
  "views" | "csrf" | "accounts" | "factors" | "registration"
>;

export function createRequestPages(dependencies: RequestPagesDependencies): RequestPages {
  const { views, csrf, accounts, factors, registration } = dependencies;

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
      views.render(ctx, "create-account", { title, uiLocales, typed, data, ...errors }, { status });
    },
    showConsent(ctx, interaction, account) {
      const { client, access, uiLocales } = interaction;
      const data = { ...frame(ctx, interaction), account, asks: accessInWords(access, account) };
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
