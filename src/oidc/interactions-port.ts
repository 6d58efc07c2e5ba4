import type { Context } from "koa";
import type { Proof } from "../mfa/index.ts";
import type { RequiredAssurance } from "./asked-assurance.ts";

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
  /** `step-up`: signed in already, by less than this request needs. */
  readonly page: "sign-in" | "create-account" | "step-up" | "consent";
  readonly client: RequestingClient;
  /** Whoever is signed in in this browser already; always there on the consent page. */
  readonly accountId: string | undefined;
  /** Asked to sign in again although signed in (`prompt=login`, `max_age`): the page says so. */
  readonly isReauthentication: boolean;
  /** What the sign-in has to come to. */
  readonly required: RequiredAssurance;
  /** What was proved so far, for this request alone; at `step-up`, what the session rests on. */
  readonly progress: SignInProgress | undefined;
  /** Where the browser goes on when the sign-in was completed, but its answer got lost or overtaken. */
  readonly answeredUrl: string | undefined;
  readonly loginHint: string | undefined;
  /** `ui_locales` in order of preference. */
  readonly uiLocales: readonly string[];
  readonly access: RequestedAccess;
  /** Where the app gets its answer. A form of these pages may lead there: for the CSP's `form-action`. */
  readonly redirectUri: string | undefined;
  /** Sealed authorization request, valid for 24 hours; starts the sign-in again whatever happened to this one. */
  readonly restartToken: string;
}

/** A chain of proofs on its way. It lies in the interaction, and nothing that anybody could use comes of it. */
export interface SignInProgress {
  readonly accountId: string;
  readonly proofs: readonly Proof[];
  /** When the first of them was given, in milliseconds since the Unix epoch. */
  readonly provedAtMs: number;
  /** They are those of the session: it stands or falls by itself, and they are as old as it is. */
  readonly isOfSession?: true | undefined;
}

export interface ProvedSignIn {
  readonly progress: SignInProgress;
  /**
   * Asked once the session is noted: whoever took a factor or the password away in between has ended no session yet.
   * The sign-in is over when it says no.
   */
  readonly stillHolds: () => Promise<boolean>;
  /** Not seen before: the person is told of the session that begins. */
  readonly isNewBrowser: boolean;
}

/** How the pages inside an authorization request reach the protocol. Every URL that is returned is for a 303. */
export interface Interactions {
  /** `undefined` when it expired, is over, or its cookie is not there: offer {@link Interactions.readRestart}. */
  find(ctx: Context, uid: string): Promise<PendingInteraction | undefined>;
  /** Notes what was proved so far; more is needed. */
  noteProgress(ctx: Context, interaction: PendingInteraction, progress: SignInProgress): Promise<void>;
  /** The person proved who they are, by all that this request needs: the next page, or the app. */
  completeSignIn(ctx: Context, interaction: PendingInteraction, proved: ProvedSignIn): Promise<string>;
  /** Back to the app: the person cannot or does not want to prove as much as it, or its policy, asks for (RFC 9470, section 5). */
  refuseAssurance(ctx: Context, interaction: PendingInteraction): Promise<string>;
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
  /** How sure we are of who it is: one of `ACR_VALUES` of `mfa`. */
  readonly acr: string | undefined;
  /** RFC 8176 values. */
  readonly amr: readonly string[];
  /** Whether it has what the deployment's policy asks of this person in this browser; a client may ask for less. */
  readonly isEnough: boolean;
}

/** The session of the browser, for pages outside an authorization request. */
export interface BrowserSessions {
  find(ctx: Context): Promise<BrowserSession | undefined>;
  /**
   * The person proved one thing more, by adding it: the session rests on that, too, and gets a new cookie (ASVS 7.2.4).
   * When they signed in does not change. Nothing when nobody is signed in any more.
   */
  addProof(ctx: Context, proof: Proof): Promise<void>;
  /** Ends the session, with every token that hangs on it, and clears its cookie. */
  end(ctx: Context): Promise<void>;
  /**
   * Where to send a person who has to sign in (or to create an account) first. They come back to `/account/signed-in`,
   * with `returnTo`, a path, as the `state` of the address: untrusted there, for anybody can make such an address.
   */
  signInUrl(page: "sign-in" | "create-account", returnTo?: string): string;
  /**
   * The same for a person who is signed in and is to prove it again, unless they did so `maxAgeSeconds` ago or later.
   * With `acr` they reach that class, too.
   */
  reauthenticationUrl(need: {
    readonly returnTo: string;
    readonly maxAgeSeconds: number;
    readonly acr: string | undefined;
  }): string;
}

/** A client that a person allowed something. */
export interface AllowedClient {
  readonly client: RequestingClient;
  readonly access: RequestedAccess;
  /** When something was added to it last. */
  readonly allowedAt: Date;
}

/** What people allowed, and whom: for their account page. */
export interface AllowedClients {
  /** The one that was allowed something last comes first. First-party clients are never asked about, nor listed. */
  list(accountId: string): Promise<readonly AllowedClient[]>;
  /** Clients by their ids; those that are gone, and our own pages, are left out. */
  describe(clientIds: Iterable<string>): Promise<ReadonlyMap<string, RequestingClient>>;
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
