import { hash } from "node:crypto";
import { Browser } from "../../test/support/browser.ts";
import { ordersResource, PASSWORD, type Person, shopWeb, SIGN_IN_SCOPE } from "../cast.ts";
import type { HttpAnswer, HttpClient } from "./http-client.ts";

// One verifier for all: drawing a fresh one would cost the client time and tells the server nothing.
const CODE_VERIFIER = "bench-bench-bench-bench-bench-bench-bench-bench";
const CODE_CHALLENGE = hash("sha256", CODE_VERIFIER, "base64url");

export interface Endpoints {
  readonly authorization: URL;
  readonly token: URL;
}

export interface PersonAtAppOptions {
  readonly http: HttpClient;
  readonly endpoints: Endpoints;
  readonly person: Person;
  /** Where the person seems to come from: throttles count by address. */
  readonly address: string;
}

interface TokenPair {
  readonly accessToken: string;
  readonly refreshToken: string;
}

/** A person's browser with `shop-web` in it. */
export interface PersonAtApp {
  /** Signs in at the server's page and brings back a code. */
  signIn(): Promise<string>;
  /** `prompt=none`: a code by the session that is there. */
  signInSilently(): Promise<string>;
  /** Redeems a code and keeps the refresh token. */
  redeem(code: string): Promise<void>;
  /** Uses the refresh token and keeps its successor. */
  refresh(): Promise<void>;
  /** The newest. */
  accessToken(): string;
  /** Opens the account page; what it returns presses its button, which ends the session. */
  prepareSignOut(): Promise<() => Promise<void>>;
}

export function createPersonAtApp({ http, endpoints, person, address }: PersonAtAppOptions): PersonAtApp {
  const headers = { "x-forwarded-for": address };
  const browser = new Browser({ headers, appOrigins: [new URL(shopWeb.redirectUri).origin] });
  const signInUrl = authorizationUrl(endpoints.authorization);
  const silentUrl = authorizationUrl(endpoints.authorization, { prompt: "none" });
  let tokens: TokenPair = { accessToken: "", refreshToken: "" };

  async function redeemGrant(grant: Readonly<Record<string, string>>): Promise<void> {
    const form = { client_id: shopWeb.id, resource: ordersResource.identifier, ...grant };
    tokens = readTokens(await http.send({ method: "POST", url: endpoints.token.href, headers, form }));
  }

  return {
    async signIn() {
      const page = await browser.open(signInUrl);
      const form = page.formWith("password");
      const values = { email: person.email, password: PASSWORD };
      return readCode((await browser.submit(page, form, { values })).url);
    },
    async signInSilently() {
      const cookie = browser.jar.headerFor(silentUrl);
      const answer = await http.send({ method: "GET", url: silentUrl.href, headers: { ...headers, cookie } });
      if (answer.location === undefined) throw unexpected("a redirect", answer);
      browser.jar.keep(silentUrl, answer.headers);
      return readCode(new URL(answer.location));
    },
    redeem: (code) =>
      redeemGrant({
        grant_type: "authorization_code",
        code,
        redirect_uri: shopWeb.redirectUri,
        code_verifier: CODE_VERIFIER,
      }),
    refresh: () => redeemGrant({ grant_type: "refresh_token", refresh_token: tokens.refreshToken }),
    accessToken: () => tokens.accessToken,
    async prepareSignOut() {
      const page = await browser.open(new URL("/account", endpoints.authorization));
      const form = page.forms.find(({ action }) => action.endsWith("/account/sign-out"));
      if (form === undefined) throw new Error(`no button to sign out at ${page.url.pathname}`);
      return async () => void (await browser.submit(page, form, {}));
    },
  };
}

export function authorizationUrl(endpoint: URL, more: Readonly<Record<string, string>> = {}): URL {
  const url = new URL(endpoint);
  const parameters = {
    client_id: shopWeb.id,
    redirect_uri: shopWeb.redirectUri,
    response_type: "code",
    scope: SIGN_IN_SCOPE,
    resource: ordersResource.identifier,
    state: "bench-state-bench-state",
    nonce: "bench-nonce-bench-nonce",
    code_challenge: CODE_CHALLENGE,
    code_challenge_method: "S256",
    ...more,
  };
  url.search = new URLSearchParams(parameters).toString();
  return url;
}

/** @param url where the server sent the person back to. */
function readCode({ searchParams, pathname }: URL): string {
  const code = searchParams.get("code");
  if (code === null) throw new Error(`no code at ${pathname}: ${searchParams.get("error_description")}`);
  return code;
}

/** Checks that the answer has all that is being compared, so that no variant is fast by doing less. */
function readTokens(answer: HttpAnswer): TokenPair {
  if (answer.status !== 200) throw unexpected("tokens", answer);
  const body = JSON.parse(answer.body) as Readonly<Record<string, unknown>>;
  const { access_token: accessToken, id_token: idToken, refresh_token: refreshToken } = body;
  const isJwt = (token: unknown): token is string => typeof token === "string" && token.split(".").length === 3;
  if (!isJwt(accessToken) || !isJwt(idToken) || typeof refreshToken !== "string") {
    throw new Error("the app got no JWT access token, no ID token or no refresh token");
  }
  return { accessToken, refreshToken };
}

function unexpected(wanted: string, { status, body }: HttpAnswer): Error {
  const title = /<title>([^<]*)/i.exec(body)?.[1] ?? body.slice(0, 200);
  return new Error(`expected ${wanted}, got ${status}: ${title}`);
}
