import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import * as oauth from "oauth4webapi";
import type { Clients } from "../../src/clients/index.ts";
import { freePort } from "./servers.ts";

/** An app without script: its pages are plain HTML, and its server redeems the code. For journeys with script off. */
export interface PlainApp {
  readonly origin: string;
  readonly clientId: string;
  /** Begins a sign-in when a browser opens it; parameters are passed on (`?prompt=login`). */
  readonly signInUrl: string;
  /** What the last ID token says. */
  lastClaims(): oauth.IDToken | undefined;
  close(): Promise<void>;
}

export interface PlainAppOptions {
  readonly issuer: string;
  readonly clients: Pick<Clients, "addClient">;
  /** `shop.localhost`, say, is another site than an issuer on `localhost`. */
  readonly hostname?: string;
  readonly clientId?: string;
  /** Then nobody is asked what to allow. */
  readonly isFirstParty?: boolean;
}

const SIGNED_IN = "Signed in to Shop";
const START_AGAIN = "Start again";
const COOKIE = "shop=signed-in";

/** Starts the app and registers it as a public client. */
export async function startPlainApp(options: PlainAppOptions): Promise<PlainApp> {
  const { issuer, hostname = "localhost", clientId = "shopWeb", isFirstParty = false } = options;
  const port = await freePort();
  const origin = `http://${hostname}:${port}`;
  await options.clients.addClient({
    id: clientId,
    name: "Shop",
    isFirstParty,
    redirectUris: [`${origin}/callback`],
    postLogoutRedirectUris: [`${origin}/`],
    homeUri: `${origin}/`,
  });
  const relyingParty = createRelyingParty({ issuer, clientId, redirectUri: `${origin}/callback` });

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? "/", origin);
    if (url.pathname === "/sign-in") return redirect(response, await relyingParty.begin(url.searchParams));
    if (url.pathname === "/sign-out") return redirect(response, await relyingParty.signOutUrl(`${origin}/`));
    if (url.pathname !== "/callback") return page(response, "Shop");
    const heading = await relyingParty.complete(url);
    // Like any app it knows who is signed in: an answer that was used before (the back button) changes nothing.
    const isSignedIn = heading === SIGNED_IN || (heading === START_AGAIN && request.headers.cookie?.includes(COOKIE));
    if (isSignedIn) response.setHeader("set-cookie", `${COOKIE}; Path=/; HttpOnly; SameSite=Lax`);
    return page(response, isSignedIn ? SIGNED_IN : heading);
  }

  const server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => page(response, `Failed: ${String(error)}`));
  });
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  return {
    origin,
    clientId,
    signInUrl: `${origin}/sign-in`,
    lastClaims: relyingParty.lastClaims,
    async close() {
      const hasClosed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await hasClosed;
    },
  };
}

function createRelyingParty(app: { issuer: string; clientId: string; redirectUri: string }) {
  const client = { client_id: app.clientId };
  const insecure = { [oauth.allowInsecureRequests]: true };
  const verifiers = new Map<string, string>();
  let idToken: string | undefined;
  let claims: oauth.IDToken | undefined;

  async function discover(): Promise<oauth.AuthorizationServer> {
    const issuer = new URL(app.issuer);
    return await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, insecure));
  }

  return {
    lastClaims: () => claims,
    async begin(extra: URLSearchParams): Promise<URL> {
      const [state, verifier] = [oauth.generateRandomState(), oauth.generateRandomCodeVerifier()];
      verifiers.set(state, verifier);
      const url = new URL((await discover()).authorization_endpoint ?? "");
      url.search = new URLSearchParams({
        client_id: app.clientId,
        redirect_uri: app.redirectUri,
        response_type: "code",
        scope: "openid profile email",
        code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
        code_challenge_method: "S256",
        state,
        ...Object.fromEntries(extra),
      }).toString();
      return url;
    },
    async complete(url: URL): Promise<string> {
      const state = url.searchParams.get("state") ?? "";
      const verifier = verifiers.get(state);
      verifiers.delete(state);
      if (verifier === undefined) return START_AGAIN;
      const error = url.searchParams.get("error");
      if (error !== null) return `Not signed in: ${error}`;
      const server = await discover();
      const response = await oauth.authorizationCodeGrantRequest(
        server,
        client,
        oauth.None(),
        oauth.validateAuthResponse(server, client, url, state),
        app.redirectUri,
        verifier,
        insecure,
      );
      const tokens = await oauth.processAuthorizationCodeResponse(server, client, response, { requireIdToken: true });
      idToken = tokens.id_token;
      claims = oauth.getValidatedIdTokenClaims(tokens);
      return SIGNED_IN;
    },
    async signOutUrl(returnTo: string): Promise<URL> {
      const url = new URL((await discover()).end_session_endpoint ?? "");
      url.search = new URLSearchParams({
        client_id: app.clientId,
        post_logout_redirect_uri: returnTo,
        ...(idToken === undefined ? {} : { id_token_hint: idToken }),
      }).toString();
      return url;
    },
  };
}

function redirect(response: ServerResponse, url: URL): void {
  response.writeHead(303, { location: url.href }).end();
}

function page(response: ServerResponse, heading: string): void {
  const text = heading.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
  response.writeHead(200, { "content-type": "text/html; charset=utf-8" });
  response.end(
    `<!doctype html><html lang="en"><title>Shop</title><h1>${text}</h1><p><a href="/sign-in">Sign in</a></p></html>`,
  );
}
