import { createHmac } from "node:crypto";
import type { Page } from "./browser.ts";

const STEP_MS = 30_000;
const BASE32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/** A person's authenticator app: RFC 6238, written here once more, so that two have to agree. */
export class AuthenticatorApp {
  readonly #key: Buffer;

  /** @param secret base32, in any case and with spaces. */
  constructor(secret: string) {
    const bits = secret
      .replaceAll(/\s/g, "")
      .toUpperCase()
      .split("")
      .map((character) => BASE32.indexOf(character).toString(2).padStart(5, "0"))
      .join("");
    this.#key = Buffer.from((bits.match(/.{8}/g) ?? []).map((octet) => Number.parseInt(octet, 2)));
  }

  /** Takes the key that the page shows for typing. */
  static fromPage({ html }: Page): AuthenticatorApp {
    const key = /<p class="key"[^>]*>([\s\S]*?)<\/p>/.exec(html)?.[1];
    if (key === undefined) throw new Error("the page shows no key");
    return new AuthenticatorApp(key.replaceAll(/<[^>]*>/g, ""));
  }

  /** The code of now, or of some steps from now. */
  code(steps = 0): string {
    const counter = Buffer.alloc(8);
    counter.writeBigUInt64BE(BigInt(Math.floor(Date.now() / STEP_MS) + steps));
    const digest = createHmac("sha1", this.#key).update(counter).digest();
    const offset = digest.readUInt8(digest.length - 1) & 0xf;
    return String((digest.readUInt32BE(offset) & 0x7fffffff) % 1_000_000).padStart(6, "0");
  }

  /** A code that is wrong for a minute and more, whatever the clock does meanwhile. */
  wrongCode(): string {
    const near = new Set([-3, -2, -1, 0, 1, 2, 3].map((steps) => this.code(steps)));
    for (let candidate = 0; ; candidate += 1) {
      const code = String(candidate).padStart(6, "0");
      if (!near.has(code)) return code;
    }
  }
}
