import { alice } from "../support/cast.ts";
import { type RawAnswer, askNode } from "../support/raw-http.ts";
import type { World } from "../support/world.ts";

const RETRIES_MAX = 60;
const RETRY_AFTER_MS = 100;
/** An app keeps ten of them a sign-in. */
const FAMILIES_OF_A_BROWSER = 8;

export interface TokenAnswer {
  readonly error?: string;
  readonly error_description?: string;
  readonly access_token?: string;
  readonly refresh_token?: string;
}

export interface TokenEndpoint {
  /** Of any node; asked for the issuer's host. */
  readonly url: string;
  readonly host: string;
}

/** One request to the token endpoint of one node. @throws when the connection broke before the answer was there. */
export async function askForTokens(
  { url, host }: TokenEndpoint,
  form: Readonly<Record<string, string>>,
): Promise<{ readonly status: number; readonly body: TokenAnswer }> {
  const answer: RawAnswer = await askNode(url, {
    method: "POST",
    headers: { host, "content-type": "application/x-www-form-urlencoded" },
    body: new URLSearchParams(form).toString(),
  });
  const isJson = answer.headers.get("content-type")?.startsWith("application/json") === true;
  return { status: answer.status, body: isJson ? (JSON.parse(answer.body) as TokenAnswer) : {} };
}

/**
 * What an honest app does: sends its refresh token, and sends the same one again when no answer came or the server could
 * not serve it.
 *
 * @param endpointOf the node to ask at each try
 * @throws Error with what the server said when the app would have to send its person to the sign-in page.
 */
export async function refreshUntilAnswered(
  endpointOf: (attempt: number) => TokenEndpoint,
  form: Readonly<Record<string, string>>,
  retriesMax = RETRIES_MAX,
): Promise<string> {
  for (let attempt = 0; attempt < retriesMax; attempt += 1) {
    const answer = await askForTokens(endpointOf(attempt), { grant_type: "refresh_token", ...form }).catch(
      () => undefined,
    );
    if (answer?.status === 200 && answer.body.refresh_token !== undefined) return answer.body.refresh_token;
    if (answer !== undefined && answer.status !== 503) {
      throw new Error(`signed out: ${answer.status} ${answer.body.error} ${answer.body.error_description}`);
    }
    await new Promise((resolve) => setTimeout(resolve, RETRY_AFTER_MS));
  }
  throw new Error("no node answers");
}

/** Refresh tokens of an app, each the first of a family of its own. Nobody signs in more often than is needed. */
export async function openFamilies(world: World, count: number): Promise<readonly string[]> {
  const families: string[] = [];
  let browser = world.openBrowser();
  for (let index = 0; index < count; index += 1) {
    if (index % FAMILIES_OF_A_BROWSER === 0) browser = world.openBrowser();
    families.push((await world.apps.notesWeb.signIn(browser, alice)).refreshToken);
  }
  return families;
}
