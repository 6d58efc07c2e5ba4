import { setTimeout as delay } from "node:timers/promises";
import { decodeJwt } from "jose";
import { fromAnywhere } from "../support/addresses.ts";
import { alice, type Person } from "../support/cast.ts";
import type { Browser } from "../support/browser.ts";
import type { Tokens } from "../support/relying-party.ts";
import { type Caller, post } from "../support/services.ts";
import type { World } from "../support/world.ts";

const BREATH_MS = 5;

/** Gets tokens and revokes them at the node of this process, which stays whole. */
export interface TokenSource {
  /** A service's token for the orders API, which hangs on no session. */
  issue(): Promise<string>;
  /** RFC 7009. Resolved: acknowledged. */
  revoke(token: string): Promise<void>;
  /** Issues and revokes one token after the other while `goesOn`; returns those whose revocation was acknowledged. */
  revokeWhile(goesOn: () => boolean): Promise<readonly string[]>;
  signIn(person?: Person): Promise<SignedIn>;
  /** As an operator does. */
  endSession(signedIn: SignedIn): Promise<void>;
}

export interface SignedIn {
  readonly browser: Browser;
  readonly tokens: Tokens;
}

export function createTokenSource(world: World): TokenSource {
  const billing: Caller = { id: "billingApi", secret: world.secrets.get("billingApi") };

  async function issue(): Promise<string> {
    const parameters = { grant_type: "client_credentials", scope: "orders:read" };
    const { status, body } = await post(world.latchkey, "/token", { caller: billing, parameters });
    if (status !== 200) throw new Error(`no token: ${status} ${JSON.stringify(body)}`);
    return (body as { readonly access_token: string }).access_token;
  }

  async function revoke(token: string): Promise<void> {
    const { status } = await post(world.latchkey, "/revoke", { caller: billing, parameters: { token } });
    if (status !== 200) throw new Error(`not revoked: ${status}`);
  }

  return {
    issue,
    revoke,
    async revokeWhile(goesOn) {
      const revoked: string[] = [];
      while (goesOn()) {
        const token = await issue();
        await revoke(token);
        revoked.push(token);
        // A load that leaves nothing to the nodes would only show how slow these are.
        await delay(BREATH_MS);
      }
      return revoked;
    },
    async signIn(person = alice) {
      // So many sign-ins from one place would be throttled.
      const browser = world.openBrowser(fromAnywhere());
      return { browser, tokens: await world.apps.shopWeb.signIn(browser, person, { scope: "openid orders:read" }) };
    },
    async endSession({ tokens }) {
      const { sub, sid } = decodeJwt(tokens.accessToken);
      await world.latchkey.sessions.end(String(sub), String(sid), "ended_by_operator");
    },
  };
}

/** Which of a signed-in person's things still let somebody in, asked at the node of this process. */
export async function listUsable(world: World, { browser, tokens }: SignedIn): Promise<readonly string[]> {
  const { url } = await browser.open((await world.apps.notesWeb.begin({ prompt: "none" })).url);
  const refreshed = await world.apps.shopWeb.requestRefresh(tokens.refreshToken);
  return [
    ...(url.searchParams.get("error") === "login_required" ? [] : ["cookie"]),
    ...(refreshed.status === 400 ? [] : ["refresh token"]),
  ];
}
