import { CookieJar } from "./cookie-jar.ts";
import { type HtmlForm, readForms, readHeading, readLinks, textOf } from "./html.ts";

const REDIRECTS_MAX = 20;

/** Where a browser ended up. */
export class Page {
  readonly url: URL;
  readonly status: number;
  readonly headers: Headers;
  readonly html: string;

  constructor(url: URL, response: { status: number; headers: Headers; html: string }) {
    this.url = url;
    this.status = response.status;
    this.headers = response.headers;
    this.html = response.html;
  }

  get heading(): string {
    return readHeading(this.html);
  }

  get text(): string {
    return textOf(this.html);
  }

  get forms(): readonly HtmlForm[] {
    return readForms(this.html);
  }

  /** The form that has a field of this name. @throws Error when there is none. */
  formWith(field: string): HtmlForm {
    const form = this.forms.find(({ fields }) => fields.has(field));
    if (form === undefined) throw new Error(`no form with a field "${field}" at ${this.url.pathname}: ${this.text}`);
    return form;
  }

  /** @throws Error when there is none. */
  linkTo(label: RegExp): URL {
    const link = readLinks(this.html).find((candidate) => label.test(candidate.label));
    if (link === undefined) throw new Error(`no link ${label} at ${this.url.pathname}: ${this.text}`);
    return new URL(link.href, this.url);
  }
}

export interface BrowserOptions {
  readonly jar?: CookieJar;
  /** Origins whose pages are apps: a redirect there is not followed, it is what the flow was for. */
  readonly appOrigins?: readonly string[];
  readonly headers?: Readonly<Record<string, string>>;
}

/** A person's browser without script: follows redirects, keeps cookies, submits forms as they stand in the page. */
export class Browser {
  readonly jar: CookieJar;
  readonly #appOrigins: readonly string[];
  readonly #headers: Readonly<Record<string, string>>;

  constructor(options: BrowserOptions = {}) {
    this.jar = options.jar ?? new CookieJar();
    this.#appOrigins = options.appOrigins ?? [];
    this.#headers = options.headers ?? {};
  }

  async open(url: string | URL): Promise<Page> {
    return await this.#follow(new URL(url), { method: "GET" });
  }

  async click(page: Page, label: RegExp): Promise<Page> {
    return await this.open(page.linkTo(label));
  }

  /**
   * Submits a form with `values` typed over what the page filled in. `button` presses the one with that label, else the
   * first.
   */
  async submit(page: Page, form: HtmlForm, typed: { values?: Record<string, string>; button?: RegExp } = {}) {
    const button = typed.button
      ? form.buttons.find(({ label }) => typed.button?.test(label))
      : form.buttons.find(() => true);
    if (typed.button !== undefined && button === undefined) {
      throw new Error(`no button ${typed.button} at ${page.url.pathname}: ${page.text}`);
    }
    const fields = new Map([...form.fields, ...Object.entries(typed.values ?? {})]);
    if (button?.name !== undefined) fields.set(button.name, button.value);
    const target = new URL(button?.action ?? form.action, page.url);
    const body = new URLSearchParams([...fields]);
    if (form.method === "get") {
      target.search = body.toString();
      return await this.open(target);
    }
    return await this.#follow(target, { method: "POST", body, headers: { origin: page.url.origin } });
  }

  /** One request with this browser's cookies; nothing is followed. */
  async fetch(url: string | URL, init: RequestInit = {}): Promise<Response> {
    const target = new URL(url);
    const headers = new Headers({ accept: "text/html", ...this.#headers });
    for (const [name, value] of new Headers(init.headers)) headers.set(name, value);
    const cookie = this.jar.headerFor(target);
    if (cookie !== "") headers.set("cookie", cookie);
    const response = await fetch(target, { ...init, headers, redirect: "manual" });
    this.jar.keep(target, response.headers);
    return response;
  }

  async #follow(start: URL, init: RequestInit): Promise<Page> {
    let [url, request] = [start, init];
    for (let count = 0; count < REDIRECTS_MAX; count += 1) {
      if (this.#appOrigins.includes(url.origin)) {
        return new Page(url, { status: 200, headers: new Headers(), html: "" });
      }
      const response = await this.fetch(url, request);
      const location = response.headers.get("location");
      if (response.status < 300 || response.status > 399 || location === null) {
        return new Page(url, { status: response.status, headers: response.headers, html: await response.text() });
      }
      // 307 and 308 would carry the password on: they are repeated as a browser repeats them, and the tests look.
      if (![307, 308].includes(response.status)) request = { method: "GET" };
      url = new URL(location, url);
    }
    throw new Error(`more than ${REDIRECTS_MAX} redirects, the last one to ${url.pathname}`);
  }
}
