import * as oauth from "oauth4webapi";
import type { Browser } from "./browser.ts";
import type { Person } from "./cast.ts";
import { authorizeAs } from "./journeys.ts";

/** One authorization request, with what only its sender knows. */
export interface SentRequest {
  readonly url: URL;
  readonly state: string;
  readonly nonce: string;
  readonly verifier: string;
}

/** What the token endpoint gave, checked by oauth4webapi: `iss`, `aud`, `nonce`, times and the signature too. */
export interface Tokens {
  readonly accessToken: string;
  readonly refreshToken: string;
  readonly idToken: string;
  readonly scope: string | undefined;
  readonly claims: oauth.IDToken;
}

export interface RelyingPartyOptions {
  readonly server: oauth.AuthorizationServer;
  readonly clientId: string;
  readonly redirectUri: string;
  readonly authentication?: oauth.ClientAuth;
  readonly dpop?: oauth.DPoPHandle;
}

type Parameters = Readonly<Record<string, string | undefined>>;

export const INSECURE = { [oauth.allowInsecureRequests]: true } as const;

const METADATA = { openid: "oidc", oauth: "oauth2" } as const;

/** Reads the server's metadata at either of its two places. */
export async function discover(issuer: string, place: keyof typeof METADATA = "openid") {
  const url = new URL(issuer);
  const response = await oauth.discoveryRequest(url, { ...INSECURE, algorithm: METADATA[place] });
  return await oauth.processDiscoveryResponse(url, response);
}

/** An app that signs people in, with oauth4webapi as a strict judge of every answer. */
export class RelyingParty {
  readonly server: oauth.AuthorizationServer;
  readonly client: oauth.Client;
  readonly redirectUri: string;
  readonly authentication: oauth.ClientAuth;
  readonly #options: typeof INSECURE & { readonly DPoP?: oauth.DPoPHandle };

  constructor({ server, clientId, redirectUri, authentication = oauth.None(), dpop }: RelyingPartyOptions) {
    this.server = server;
    this.client = { client_id: clientId };
    this.redirectUri = redirectUri;
    this.authentication = authentication;
    this.#options = { ...INSECURE, ...(dpop === undefined ? {} : { DPoP: dpop }) };
  }

  /** Parameters of a request; one that is `undefined` is left out. */
  async begin(changes: Parameters = {}): Promise<SentRequest> {
    const [state, nonce] = [oauth.generateRandomState(), oauth.generateRandomNonce()];
    const verifier = oauth.generateRandomCodeVerifier();
    const parameters = {
      client_id: this.client.client_id,
      redirect_uri: this.redirectUri,
      response_type: "code",
      scope: "openid profile email",
      code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
      code_challenge_method: "S256",
      state,
      nonce,
      ...changes,
    };
    const url = new URL(this.server.authorization_endpoint ?? "");
    for (const [name, value] of Object.entries(parameters)) if (value !== undefined) url.searchParams.set(name, value);
    return { url, state, nonce, verifier };
  }

  /** Pushes the request first (RFC 9126); the URL names it. */
  async beginPushed(changes: Parameters = {}): Promise<SentRequest> {
    const request = await this.begin(changes);
    const response = await oauth.pushedAuthorizationRequest(
      this.server,
      this.client,
      this.authentication,
      request.url.searchParams,
      this.#options,
    );
    const pushed = await oauth.processPushedAuthorizationResponse(this.server, this.client, response);
    const url = new URL(this.server.authorization_endpoint ?? "");
    url.search = new URLSearchParams({
      client_id: this.client.client_id,
      request_uri: pushed.request_uri,
    }).toString();
    return { ...request, url };
  }

  /** The whole way: authorization request, pages, code, tokens. */
  async signIn(browser: Browser, person: Person, changes: Parameters = {}): Promise<Tokens> {
    const request = await this.begin(changes);
    const page = await authorizeAs(browser, person, request.url);
    return await this.complete(request, page.url);
  }

  /** Redeems the code that came back. @throws oauth.AuthorizationResponseError, oauth.ResponseBodyError */
  async complete(request: SentRequest, callback: URL): Promise<Tokens> {
    const response = await this.redeem(request, callback);
    const tokens = await oauth.processAuthorizationCodeResponse(this.server, this.client, response, {
      expectedNonce: request.nonce,
      requireIdToken: true,
    });
    await oauth.validateApplicationLevelSignature(this.server, response, INSECURE);
    return toTokens(tokens);
  }

  /** The token endpoint's answer to the code, unread. */
  async redeem(request: SentRequest, callback: URL, redirectUri = this.redirectUri): Promise<Response> {
    const answer = oauth.validateAuthResponse(this.server, this.client, callback, request.state);
    const { verifier } = request;
    return await oauth.authorizationCodeGrantRequest(
      this.server,
      this.client,
      this.authentication,
      answer,
      redirectUri,
      verifier,
      this.#options,
    );
  }

  /** @throws oauth.ResponseBodyError with the server's `error`. */
  async refresh(refreshToken: string, parameters: Record<string, string> = {}): Promise<Tokens> {
    const response = await this.requestRefresh(refreshToken, parameters);
    return toTokens(await oauth.processRefreshTokenResponse(this.server, this.client, response));
  }

  async requestRefresh(refreshToken: string, parameters: Record<string, string> = {}): Promise<Response> {
    return await oauth.refreshTokenGrantRequest(this.server, this.client, this.authentication, refreshToken, {
      ...this.#options,
      additionalParameters: parameters,
    });
  }

  async userInfo(accessToken: string, subject: string): Promise<oauth.UserInfoResponse> {
    const response = await oauth.userInfoRequest(this.server, this.client, accessToken, this.#options);
    return await oauth.processUserInfoResponse(this.server, this.client, subject, response);
  }

  async requestClientCredentials(parameters: Record<string, string> = {}): Promise<Response> {
    const { server, client, authentication } = this;
    return await oauth.clientCredentialsGrantRequest(server, client, authentication, parameters, this.#options);
  }

  async introspect(token: string): Promise<oauth.IntrospectionResponse> {
    const { server, client, authentication } = this;
    const response = await oauth.introspectionRequest(server, client, authentication, token, INSECURE);
    return await oauth.processIntrospectionResponse(server, client, response);
  }

  async revoke(token: string): Promise<void> {
    const { server, client, authentication } = this;
    const response = await oauth.revocationRequest(server, client, authentication, token, INSECURE);
    await oauth.processRevocationResponse(response);
  }
}

function toTokens(answer: oauth.TokenEndpointResponse): Tokens {
  return {
    accessToken: answer.access_token,
    refreshToken: answer.refresh_token ?? "",
    idToken: answer.id_token ?? "",
    scope: answer.scope,
    claims: oauth.getValidatedIdTokenClaims(answer) ?? missingClaims(),
  };
}

function missingClaims(): never {
  throw new Error("the answer has no ID token");
}

/** The OAuth error code of a call that was refused. @throws Error when it was not. */
export async function errorOf(call: Promise<unknown>): Promise<string> {
  try {
    await call;
  } catch (error) {
    if (error instanceof oauth.ResponseBodyError || error instanceof oauth.AuthorizationResponseError) {
      return error.error;
    }
    if (error instanceof oauth.WWWAuthenticateChallengeError) {
      return error.cause.map(({ parameters }) => String(parameters.error)).join();
    }
    throw error;
  }
  throw new Error("it was not refused");
}
