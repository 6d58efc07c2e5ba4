/**
 * Sign-in for a single-page app: authorization code with PKCE, in the browser, without a server of its own.
 *
 * Copy this file; `app.js` shows how it is used. What it holds to, and why:
 * - Tokens live in this page's memory and nowhere else. What is in localStorage or sessionStorage can be read by any
 *   script that ever runs on this origin, and long after it was put there.
 * - sessionStorage has the pending request only (verifier, state, nonce, and what was to be done): it must survive the trip
 *   to the sign-in page, and it is worthless without the code that comes back.
 * - `state`, `nonce` and `iss` are checked by oauth4webapi; a response that fails a check is not looked at any further.
 * - The app goes to the sign-in page in the same tab. Hidden frames would need third-party cookies, which browsers block.
 */
import * as oauth from "oauth4webapi";

const PENDING_REQUEST = "pending-sign-in";
const TIMEOUT_MS = 10_000;
/** A token that ends within this time counts as ended, so that it does not end on its way to the API. */
const EXPIRY_MARGIN_SECONDS = 10;
/** What a server answers to `prompt=none` when it would have had to show a page (OpenID Connect Core 1.0, 3.1.2.6). */
const NEEDS_A_PAGE = new Set([
  "login_required",
  "consent_required",
  "interaction_required",
  "account_selection_required",
]);
/** What the other errors mean to a person; any that is not here is a failure. */
const OUTCOMES = { access_denied: "denied", unmet_authentication_requirements: "not-sure-enough" };

/**
 * @typedef {object} Settings
 * @property {string} issuer origin of Latchkey
 * @property {string} clientId
 * @property {string} redirectUri as it was registered, to the letter
 * @property {string} postLogoutRedirectUri as it was registered, to the letter
 * @property {string} scope what to ask for, separated by spaces
 */

export class SignIn {
  #settings;
  #server;
  #client;
  #options;
  /**
   * @type {{ accessToken: string, expiresAtMs: number, refreshToken?: string, idToken: string, subject: string, scope: string }
   *   | undefined}
   */
  #tokens;
  /** The refresh that is under way. A refresh token works once, so a second use beside it would look like a theft. */
  #refreshing;

  /** Fetches the server's metadata. @param {Settings} settings */
  static async connect(settings) {
    const issuer = new URL(settings.issuer);
    // oauth4webapi refuses plain http, and should: the exception is for a server on this very machine.
    const options = {
      [oauth.allowInsecureRequests]: isLoopback(issuer),
      signal: () => AbortSignal.timeout(TIMEOUT_MS),
    };
    const server = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, options));
    return new SignIn(settings, server, options);
  }

  constructor(settings, server, options) {
    this.#settings = settings;
    this.#server = server;
    this.#client = { client_id: settings.clientId };
    this.#options = options;
  }

  get tokens() {
    return this.#tokens;
  }

  /**
   * Leaves for the sign-in page.
   *
   * @typedef {object} Request
   * @property {"none" | "consent" | "login"} [prompt] `none` shows nothing and comes back at once: signed in, or with the
   *   outcome `needs-a-page`
   * @property {string} [extraScope] asked for beside what there is already
   * @property {string} [acrValues] how the person is to prove who they are, best first, separated by spaces
   * @property {number} [maxAgeSeconds] how long ago they may have done so
   * @property {any} [task] what to do after the return; kept in sessionStorage, so nothing secret
   * @param {Request} [request]
   */
  async begin({ prompt, extraScope, acrValues, maxAgeSeconds, task } = {}) {
    const { clientId, redirectUri, scope } = this.#settings;
    const verifier = oauth.generateRandomCodeVerifier();
    const state = oauth.generateRandomState();
    const nonce = oauth.generateRandomNonce();
    const pending = { verifier, state, nonce, maxAgeSeconds, task, subject: this.#tokens?.subject };
    sessionStorage.setItem(PENDING_REQUEST, JSON.stringify(pending));

    const url = new URL(this.#server.authorization_endpoint);
    const parameters = {
      client_id: clientId,
      redirect_uri: redirectUri,
      response_type: "code",
      // The new token is instead of the old one: what that was good for has to be asked for again.
      scope: joinScopes(scope, this.#tokens?.scope, extraScope),
      code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
      code_challenge_method: "S256",
      state,
      nonce,
      prompt,
      acr_values: acrValues,
      max_age: maxAgeSeconds,
    };
    for (const [name, value] of Object.entries(parameters)) {
      if (value !== undefined) url.searchParams.set(name, value);
    }
    location.assign(url);
  }

  /**
   * Reads the response that the sign-in page sent the browser back with.
   *
   * @typedef {"signed-in" | "denied" | "not-sure-enough" | "needs-a-page" | "unknown-request" | "failed"} Outcome
   *   `not-sure-enough`: the person cannot prove who they are in the way that was asked for. `unknown-request`: this tab
   *   asked for no such thing, or has had its answer before (which is what the back button leads to).
   * @param {URL} url the address that the browser was sent to
   * @returns {Promise<{ outcome: Outcome, task?: any }>} `task` is what `begin` was given
   */
  async complete(url) {
    const pending = takePendingRequest();
    if (!pending || url.searchParams.get("state") !== pending.state) return { outcome: "unknown-request" };
    const outcome = await this.#outcomeOf(url, pending);
    // What one person set out to do is not done for another who signed in instead.
    const isSomebodyElse = outcome === "signed-in" && this.#tokens.subject !== pending.subject;
    return { outcome, task: isSomebodyElse ? undefined : pending.task };
  }

  async #outcomeOf(url, pending) {
    try {
      await this.#redeem(url, pending);
      return "signed-in";
    } catch (error) {
      if (error instanceof oauth.AuthorizationResponseError) {
        if (Object.hasOwn(OUTCOMES, error.error)) return OUTCOMES[error.error];
        if (NEEDS_A_PAGE.has(error.error)) return "needs-a-page";
      }
      console.error("The sign-in failed:", error);
      return "failed";
    }
  }

  /** Exchanges the code for tokens. Throws when the response is not the one that was asked for. */
  async #redeem(url, { verifier, state, nonce, maxAgeSeconds }) {
    const parameters = oauth.validateAuthResponse(this.#server, this.#client, url, state);
    const response = await oauth.authorizationCodeGrantRequest(
      this.#server,
      this.#client,
      oauth.None(),
      parameters,
      this.#settings.redirectUri,
      verifier,
      this.#options,
    );
    // A sign-in that is older than was asked for is refused. Which class was reached is for the API to check.
    const expected = { expectedNonce: nonce, requireIdToken: true, maxAge: maxAgeSeconds };
    this.#keep(await oauth.processAuthorizationCodeResponse(this.#server, this.#client, response, expected));
  }

  /** Gets new tokens for the refresh token. `false`: there is none, or it has ended, and a sign-in is needed. */
  async refresh() {
    this.#refreshing ??= this.#refreshOnce().finally(() => (this.#refreshing = undefined));
    return await this.#refreshing;
  }

  async #refreshOnce() {
    const token = this.#tokens?.refreshToken;
    if (!token) return false;
    try {
      const response = await oauth.refreshTokenGrantRequest(
        this.#server,
        this.#client,
        oauth.None(),
        token,
        this.#options,
      );
      this.#keep(await oauth.processRefreshTokenResponse(this.#server, this.#client, response));
      return true;
    } catch (error) {
      // Anything else (no network, a server that is away) is no reason to sign anybody out.
      if (!(error instanceof oauth.ResponseBodyError) || error.error !== "invalid_grant") throw error;
      this.#tokens = undefined;
      return false;
    }
  }

  /**
   * Calls an API with the access token, which is refreshed first when it is about to end, and once more when the API
   * does not accept it any longer: somebody may have ended this access, but not the session.
   *
   * @param {string} url
   * @param {"GET" | "POST"} [method]
   * @returns {Promise<Answer>}
   */
  async callApi(url, method = "GET") {
    if (this.#tokens && this.#tokens.expiresAtMs < Date.now()) await this.refresh();
    const answer = await this.callApiOnce(url, method);
    if (answer.outcome !== "refused") return answer;
    return (await this.refresh()) ? await this.callApiOnce(url, method) : { outcome: "signed-out" };
  }

  /**
   * Calls an API with the access token as it is.
   *
   * @typedef {{ outcome: "ok", status: number, body: any } | { outcome: "signed-out" } | { outcome: "needs-scope", scope: string }
   *   | { outcome: "needs-proof", acrValues?: string, maxAgeSeconds?: number }
   *   | { outcome: "refused" | "unavailable", status: number, error: string, description: string }} Answer
   *   `needs-proof`: the API wants to be surer of who this is; `begin` takes both values as they are. `refused`: it does not
   *   accept this token. `unavailable`: it cannot say, or does not work.
   * @returns {Promise<Answer>}
   */
  async callApiOnce(url, method = "GET") {
    if (!this.#tokens) return { outcome: "signed-out" };
    const { accessToken } = this.#tokens;
    try {
      const options = this.#options;
      const response = await oauth.protectedResourceRequest(
        accessToken,
        method,
        new URL(url),
        undefined,
        null,
        options,
      );
      return await readAnswer(response);
    } catch (error) {
      if (!(error instanceof oauth.WWWAuthenticateChallengeError)) throw error;
      return readChallenge(error) ?? (await readAnswer(error.response));
    }
  }

  /**
   * Gives the access token back: from then on no API accepts it (RFC 7009). The refresh token stays.
   *
   * An app would forget the token here. This one keeps it, to show what an API says to it.
   */
  async revokeAccessToken() {
    if (!this.#tokens) return;
    const parameters = { ...this.#options, additionalParameters: { token_type_hint: "access_token" } };
    const response = await oauth.revocationRequest(
      this.#server,
      this.#client,
      oauth.None(),
      this.#tokens.accessToken,
      parameters,
    );
    await oauth.processRevocationResponse(response);
  }

  /** Leaves for the sign-out page. The ID token tells the server whose session is meant (RP-Initiated Logout 1.0). */
  signOut() {
    const url = new URL(this.#server.end_session_endpoint);
    url.searchParams.set("client_id", this.#settings.clientId);
    url.searchParams.set("post_logout_redirect_uri", this.#settings.postLogoutRedirectUri);
    if (this.#tokens) url.searchParams.set("id_token_hint", this.#tokens.idToken);
    this.#tokens = undefined;
    location.assign(url);
  }

  #keep(response) {
    this.#tokens = {
      accessToken: response.access_token,
      expiresAtMs: Date.now() + ((response.expires_in ?? 0) - EXPIRY_MARGIN_SECONDS) * 1000,
      // An answer to a refresh that has no new refresh or ID token leaves the old one in use.
      refreshToken: response.refresh_token ?? this.#tokens?.refreshToken,
      idToken: response.id_token ?? this.#tokens?.idToken,
      subject: oauth.getValidatedIdTokenClaims(response)?.sub ?? this.#tokens?.subject,
      scope: response.scope ?? this.#tokens?.scope ?? this.#settings.scope,
    };
  }
}

/** Reads the pending request and forgets it: no response is looked at twice. */
function takePendingRequest() {
  const stored = sessionStorage.getItem(PENDING_REQUEST);
  sessionStorage.removeItem(PENDING_REQUEST);
  return stored ? JSON.parse(stored) : undefined;
}

/** What would do instead, in the API's words: RFC 6750, section 3, and RFC 9470, section 3. */
function readChallenge({ cause: challenges }) {
  const { parameters } = challenges.find((challenge) => challenge.parameters.error) ?? {};
  if (parameters?.error === "insufficient_scope" && parameters.scope) {
    return { outcome: "needs-scope", scope: parameters.scope };
  }
  if (parameters?.error !== "insufficient_user_authentication") return undefined;
  const maxAgeSeconds = parameters.max_age === undefined ? undefined : Number(parameters.max_age);
  return { outcome: "needs-proof", acrValues: parameters.acr_values, maxAgeSeconds };
}

async function readAnswer(response) {
  const { status } = response;
  const body = await response.json().catch(() => ({}));
  if (response.ok) return { outcome: "ok", status, body };
  const { error = "unknown", error_description: description = "" } = body;
  return { outcome: status === 401 ? "refused" : "unavailable", status, error, description };
}

/** Each once. */
function joinScopes(...scopes) {
  return [...new Set(scopes.flatMap((scope) => scope?.split(" ") ?? []))].join(" ");
}

function isLoopback({ hostname }) {
  return hostname === "localhost" || hostname === "127.0.0.1" || hostname.endsWith(".localhost");
}

/** The parts of a JWT, for people to look at; `undefined` for a token that is none. Decoding proves nothing. */
export function decodeJwt(token) {
  const parts = token.split(".");
  if (parts.length !== 3) return undefined;
  const [header, payload] = parts.slice(0, 2).map((part) => {
    const octets = Uint8Array.from(atob(part.replaceAll("-", "+").replaceAll("_", "/")), (letter) =>
      letter.codePointAt(0),
    );
    return JSON.parse(new TextDecoder().decode(octets));
  });
  return { header, payload };
}
