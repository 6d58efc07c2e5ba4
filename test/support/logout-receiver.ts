import { createServer, type ServerResponse } from "node:http";
import { createRemoteJWKSet, decodeProtectedHeader, type JWTPayload, jwtVerify } from "jose";
import { listenOnLoopback } from "./servers.ts";

/** A logout token that was received and found right. */
export interface LogoutToken {
  readonly clientId: string;
  readonly sub: string | undefined;
  readonly sid: string | undefined;
  readonly jti: string;
  readonly claims: JWTPayload;
  readonly algorithm: string | undefined;
  readonly kid: string | undefined;
}

type Answer = (response: ServerResponse) => void;

const LOGOUT_EVENT = "http://schemas.openid.net/event/backchannel-logout";
const CLOCK_TOLERANCE_SECONDS = 5;
const LIFETIME_SECONDS_MAX = 120;

/**
 * The servers of some apps on one port of loopback: `/{clientId}` is where the app of that id is told. Everything that
 * arrives is validated as OpenID Connect Back-Channel Logout 1.0, section 2.6, asks; what is wrong with it is kept in
 * `faults`, and answered with 400.
 */
export class LogoutReceiver {
  readonly tokens: LogoutToken[] = [];
  readonly faults: string[] = [];
  readonly #answers = new Map<string, Answer>();
  readonly #server = createServer((request, response) => {
    const clientId = (request.url ?? "/").slice(1);
    let body = "";
    request.on("data", (chunk) => void (body += String(chunk)));
    request.on("end", () => void this.#receive(clientId, { type: request.headers["content-type"], body, response }));
  });
  readonly #issuer: string;
  readonly #now: () => number;
  #port = 0;

  /** @param now milliseconds; tests that travel in time say what time it is. */
  constructor(issuer: string, now: () => number = () => Date.now()) {
    this.#issuer = issuer;
    this.#now = now;
  }

  async listen(): Promise<this> {
    this.#port = await listenOnLoopback(this.#server);
    return this;
  }

  uriOf(clientId: string): string {
    return `http://127.0.0.1:${this.#port}/${clientId}`;
  }

  /** What the app of this id answers from now on to tokens that are right; 200 if it was never said. */
  answer(clientId: string, answer: Answer): void {
    this.#answers.set(clientId, answer);
  }

  tokensOf(clientId: string): readonly LogoutToken[] {
    return this.tokens.filter((token) => token.clientId === clientId);
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #receive(
    clientId: string,
    { type, body, response }: { type: string | undefined; body: string; response: ServerResponse },
  ): Promise<void> {
    try {
      if (type !== "application/x-www-form-urlencoded") throw new Error(`it is ${type}`);
      this.tokens.push(await this.#validate(clientId, new URLSearchParams(body).get("logout_token") ?? ""));
    } catch (error) {
      this.faults.push(String(error));
      response.writeHead(400).end();
      return;
    }
    const answer =
      this.#answers.get(clientId) ?? ((ok) => void ok.writeHead(200, { "cache-control": "no-store" }).end());
    answer(response);
  }

  async #validate(clientId: string, token: string): Promise<LogoutToken> {
    const keys = createRemoteJWKSet(new URL(`${this.#issuer}/jwks`));
    const { payload } = await jwtVerify(token, keys, {
      typ: "logout+jwt",
      issuer: this.#issuer,
      audience: clientId,
      requiredClaims: ["iss", "aud", "iat", "exp", "jti", "events"],
      currentDate: new Date(this.#now()),
      clockTolerance: CLOCK_TOLERANCE_SECONDS,
      maxTokenAge: LIFETIME_SECONDS_MAX,
    });
    const { alg, kid } = decodeProtectedHeader(token);
    const { sub, sid, jti, events, exp = 0, iat = 0 } = payload;
    if (exp - iat > LIFETIME_SECONDS_MAX) throw new Error("it lives for more than two minutes");
    if (JSON.stringify(events) !== JSON.stringify({ [LOGOUT_EVENT]: {} }))
      throw new Error("it tells of something else");
    if (sub === undefined && sid === undefined) throw new Error("it names nobody");
    if ("nonce" in payload) throw new Error("it has a nonce");
    if (jti === undefined || this.tokens.some((earlier) => earlier.jti === jti)) throw new Error("it is a replay");
    return {
      clientId,
      sub,
      sid: typeof sid === "string" ? sid : undefined,
      jti,
      claims: payload,
      algorithm: alg,
      kid,
    };
  }
}
