/**
 * Sign-in for a single-page app: authorization code with PKCE, in the browser, without a server of its own.
 *
 * Copy this file; `app.js` shows how it is used. What it holds to, and why:
 * - Tokens live in this page's memory and nowhere else. What is in localStorage or sessionStorage can be read by any
 *   script that ever runs on this origin, and long after it was put there.
 * - sessionStorage has the pending request only (verifier, state, nonce): it must survive the trip to the sign-in page,
 *   and it is worthless without the code that comes back.
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
  /** @type {{ accessToken: string, expiresAtMs: number, refreshToken?: string, idToken: string, scope: string } | undefined} */
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
   * @param {{ prompt?: "none" | "consent" | "login", extraScope?: string }} [request] `prompt: "none"` shows nothing and
   *   comes back at once: signed in, or with the outcome `needs-a-page`.
   */
  async begin({ prompt, extraScope } = {}) {
    const { clientId, redirectUri, scope } = this.#settings;
    const verifier = oauth.generateRandomCodeVerifier();
    const state = oauth.generateRandomState();
    const nonce = oauth.generateRandomNonce();
    sessionStorage.setItem(PENDING_REQUEST, JSON.stringify({ verifier, state, nonce }));

    const url = new URL(this.#server.authorization_endpoint);
    const parameters = {
      client_id: clientId,
      redirect_uri: redirectUri,
      response_type: "code",
      scope: extraScope ? `${scope} ${extraScope}` : scope,
      code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
      code_challenge_method: "S256",
      state,
      nonce,
      ...(prompt ? { prompt } : {}),
    };
    for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
    location.assign(url);
  }

  /**
   * Reads the response that the sign-in page sent the browser back with.
   *
   * @param {URL} url the address that the browser was sent to
   * @returns {Promise<"signed-in" | "denied" | "needs-a-page" | "unknown-request" | "failed">} `unknown-request`: this tab
   *   asked for no such thing, or has had its answer before (which is what the back button leads to).
   */
  async complete(url) {
    const pending = takePendingRequest();
    if (!pending || url.searchParams.get("state") !== pending.state) return "unknown-request";
    try {
      await this.#redeem(url, pending);
      return "signed-in";
    } catch (error) {
      if (error instanceof oauth.AuthorizationResponseError) {
        if (error.error === "access_denied") return "denied";
        if (NEEDS_A_PAGE.has(error.error)) return "needs-a-page";
      }
      console.error("The sign-in failed:", error);
      return "failed";
    }
  }

  /** Exchanges the code for tokens. Throws when the response is not the one that was asked for. */
  async #redeem(url, { verifier, state, nonce }) {
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
    const expected = { expectedNonce: nonce, requireIdToken: true };
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
   *   | { outcome: "refused" | "unavailable", status: number, error: string, description: string }} Answer
   *   `refused`: the API does not accept this token. `unavailable`: it cannot say, or does not work.
   * @returns {Promise<Answer>}
   */
  async callApiOnce(url, method = "GET") {
    if (!this.#tokens) return { outcome: "signed-out" };
    const headers = { authorization: `Bearer ${this.#tokens.accessToken}` };
    const response = await fetch(url, { method, headers, signal: AbortSignal.timeout(TIMEOUT_MS) });
    const { status } = response;
    const body = await response.json().catch(() => ({}));
    if (response.ok) return { outcome: "ok", status, body };
    // The API says which scope it wants (RFC 6750, section 3).
    const challenge = response.headers.get("www-authenticate") ?? "";
    const [, scope] = /error="insufficient_scope".*scope="([^"]+)"/.exec(challenge) ?? [];
    if (scope) return { outcome: "needs-scope", scope };
    const { error = "unknown", error_description: description = "" } = body;
    return { outcome: status === 401 ? "refused" : "unavailable", status, error, description };
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
