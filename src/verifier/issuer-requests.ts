import { VerifierError } from "./errors.ts";
import { type JsonObject, parseJsonObject } from "./json-object.ts";
import type { ClientCredentials } from "./options.ts";
import { unlessAborted } from "./waiting.ts";

/** Discovery documents, key sets and answers about tokens are a few kilobytes; more is refused unread. */
const BODY_BYTES_MAX = 512 * 1024;

export interface IssuerRequests {
  /** @throws VerifierError unless the answer is a JSON object with status 200: `issuer_unavailable`. */
  getJson(url: string): Promise<JsonObject>;
  /** Sends a form as this client. @throws VerifierError as `getJson`, and `client_refused`. */
  postForm(url: string, form: Readonly<Record<string, string>>): Promise<JsonObject>;
}

export function createIssuerRequests(deps: {
  readonly fetch: typeof fetch;
  readonly timeoutMs: number;
  readonly client: ClientCredentials | undefined;
  /** Ends requests under way when the verifier is closed. */
  readonly closed: AbortSignal;
}): IssuerRequests {
  async function ask(url: string, init: RequestInit): Promise<JsonObject> {
    try {
      const signal = AbortSignal.any([deps.closed, AbortSignal.timeout(deps.timeoutMs)]);
      // A redirect could lead credentials and trust anywhere, so none is followed. "error" is not known everywhere.
      const response = await unlessAborted(deps.fetch(url, { ...init, signal, redirect: "manual" }), signal);
      const body = parseJsonObject(await unlessAborted(readBounded(response), signal));
      if (response.status === 200 && body !== undefined) return body;
      throw failed(response.status, `${pathOf(url)} answered ${response.status}${errorIn(body)}`);
    } catch (error) {
      throw error instanceof VerifierError ? error : unavailable(`${pathOf(url)} did not answer`, error);
    }
  }

  return {
    getJson: async (url) => await ask(url, { headers: { accept: "application/json" } }),
    async postForm(url, form) {
      if (deps.client === undefined) throw new VerifierError("options_invalid", { detail: "client is missing" });
      return await ask(url, {
        method: "POST",
        headers: {
          accept: "application/json",
          authorization: basicAuthorization(deps.client),
          "content-type": "application/x-www-form-urlencoded",
        },
        body: new URLSearchParams(form).toString(),
      });
    },
  };
}

/** Both parts are form-encoded first, so that a colon within the id cannot move the border (RFC 6749, section 2.3.1). */
function basicAuthorization({ id, secret }: ClientCredentials): string {
  return `Basic ${btoa(`${formEncode(id)}:${formEncode(secret)}`)}`;
}

function formEncode(text: string): string {
  return new URLSearchParams([["", text]]).toString().slice(1);
}

async function readBounded(response: Response): Promise<string> {
  const reader: ReadableStreamDefaultReader<Uint8Array> | undefined = response.body?.getReader();
  const decoder = new TextDecoder();
  let text = "";
  let bytes = 0;
  for (;;) {
    const part = await reader?.read();
    if (part === undefined || part.done) return text + decoder.decode();
    bytes += part.value.byteLength;
    if (bytes > BODY_BYTES_MAX) {
      await reader?.cancel();
      throw unavailable("the answer is too large");
    }
    text += decoder.decode(part.value, { stream: true });
  }
}

/** The code of an OAuth error, if that is what it is: letters and underscores, no free text. */
function errorIn(body: JsonObject | undefined): string {
  const error = body?.["error"];
  return typeof error === "string" && /^[a-z_]{1,50}$/.test(error) ? ` ${error}` : "";
}

/** With a temporary failure asking again may help; a refusal is a matter of settings (RFC 6749, section 5.2). */
function failed(status: number, detail: string): VerifierError {
  const isRefusal = status === 400 || status === 401 || status === 403;
  return new VerifierError(isRefusal ? "client_refused" : "issuer_unavailable", { detail });
}

function unavailable(detail: string, cause?: unknown): VerifierError {
  return new VerifierError("issuer_unavailable", { detail, cause });
}

function pathOf(url: string): string {
  return new URL(url).pathname;
}
