import type { Context } from "koa";

/** The client that sent the person here, as far as a page may show it. */
export interface RequestingClient {
  readonly id: string;
  readonly name: string;
  /** Host of its home page or of its redirect URI, for people to recognize. */
  readonly host: string;
  /** Where "back to the app" leads: its registered home page or its place to begin a sign-in. */
  readonly homeUri: string | undefined;
  readonly logoUri: string | undefined;
  readonly policyUri: string | undefined;
  readonly termsUri: string | undefined;
  /** Ours is the page at `/account`; it has no consent and no name to show. */
  readonly isOurs: boolean;
  readonly isFirstParty: boolean;
}

/** What a client asks to be allowed, in the order in which a page lists it. */
export interface RequestedAccess {
  /** Of `profile`, `email`, `offline_access`; `openid` alone asks for nothing that a person would notice. */
  readonly identityScopes: readonly string[];
  readonly resources: readonly {
    readonly identifier: string;
    readonly name: string;
    readonly scopes: readonly { readonly name: string; readonly description: string }[];
  }[];
}

/** An authorization request that waits for the person, as the pages see it. */
export interface PendingInteraction {
  readonly uid: string;
  readonly page: "sign-in" | "create-account" | "consent";
  readonly client: RequestingClient;
  /** Whoever is signed in in this browser already; always there on the consent page. */
  readonly accountId: string | undefined;
  /** Asked to sign in again although signed in (`prompt=login`, `max_age`): the page says so. */
  readonly isReauthentication: boolean;
  readonly loginHint: string | undefined;
  /** `ui_locales` in order of preference. */
  readonly uiLocales: readonly string[];
  readonly access: RequestedAccess;
  /** Where the app gets its answer. A form of these pages may lead there: for the CSP's `form-action`. */
  readonly redirectUri: string | undefined;
  /** Sealed authorization request, valid for 24 hours; starts the sign-in again whatever happened to this one. */
  readonly restartToken: string;
}

export interface Authentication {
  readonly accountId: string;
  /** RFC 8176 values, such as `pwd`. */
  readonly methods: readonly string[];
}

/** How the pages inside an authorization request reach the protocol. Every URL that is returned is for a 303. */
export interface Interactions {
  /** `undefined` when it expired, is over, or its cookie is not there: offer {@link Interactions.readRestart}. */
  find(ctx: Context, uid: string): Promise<PendingInteraction | undefined>;
  /** The person proved who they are: the next page, or the app. */
  completeSignIn(ctx: Context, interaction: PendingInteraction, authentication: Authentication): Promise<string>;
  allow(ctx: Context, interaction: PendingInteraction): Promise<string>;
  /** Back to the app with `access_denied`. */
  deny(ctx: Context, interaction: PendingInteraction): Promise<string>;
  /** Reads a restart token. `url` begins the same request again; `undefined` when forged or older than 24 hours. */
  readRestart(token: string): Promise<{ readonly client: RequestingClient; readonly url: string } | undefined>;
  /** The same request again, asking for a sign-in; `undefined` as above. */
  restartForAnotherAccount(token: string): Promise<string | undefined>;
}

export interface BrowserSession {
  readonly accountId: string;
  /** Names the session; it is not the cookie's value. */
  readonly sessionId: string;
  /** Seconds since the Unix epoch. */
  readonly authenticatedAt: number;
}

/** The session of the browser, for pages outside an authorization request. */
export interface BrowserSessions {
  find(ctx: Context): Promise<BrowserSession | undefined>;
  /** Ends the session, with every token that hangs on it, and clears its cookie. */
  end(ctx: Context): Promise<void>;
  /** Where to send a person who has to sign in (or to create an account) first; they come back to `/account`. */
  signInUrl(page: "sign-in" | "create-account"): string;
}

/** Pages that the protocol itself shows; `interaction` draws them. */
export interface ProtocolPages {
  /** A request that cannot go on. `reference` leads to the log line. */
  renderError(ctx: Context, failure: ProtocolFailure): Promise<void>;
  /** Asks whether to sign out. `xsrf` goes back as a hidden field named `xsrf`; `logout=yes` confirms. */
  renderSignOut(
    ctx: Context,
    page: {
      action: string;
      xsrf: string;
      client: RequestingClient | undefined;
      accountId: string;
      /** Where the form's answer redirects to: for the CSP's `form-action`. */
      returnUri: string | undefined;
    },
  ): Promise<void>;
  renderSignedOut(ctx: Context, page: { client: RequestingClient | undefined }): Promise<void>;
  /** Lets a form of this answer, which the protocol drew by itself, lead to `uri`. */
  allowFormTo(ctx: Context, uri: string): void;
}

export interface ProtocolFailure {
  /** OAuth error code such as `invalid_client`; never shown as it is. */
  readonly error: string;
  readonly status: number;
  /** For the log. */
  readonly cause: unknown;
  readonly client: RequestingClient | undefined;
  /** Begins the interrupted request again, where that is possible. */
  readonly restartUrl: string | undefined;
}
