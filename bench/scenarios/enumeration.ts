import { performance } from "node:perf_hooks";
import { Browser, type Page } from "../../test/support/browser.ts";
import { startMailServer } from "../../test/support/mail-server.ts";
import { personAt, shopWeb } from "../cast.ts";
import { differenceOfMedians, isEquivalent } from "../equivalence.ts";
import { authorizationUrl } from "../load/person-at-app.ts";
import { median, type Row } from "../report.ts";
import { startStores } from "../stores.ts";
import { startLatchkeyNodes } from "../variants/latchkey.ts";

const WARM_UP_TRIES = 20;
/** ASVS 6.3.8, as docs/benchmarks.md reads it. */
const MARGIN_MS = 5;

/** 1 where the whole interval is within the margin. */
export const IS_WITHIN_MARGIN = "is_within_5_ms";

export interface EnumerationOptions {
  readonly tryCount: number;
  readonly progress: (line: string) => void;
}

interface Asking {
  readonly issuer: string;
  readonly browser: Browser;
  readonly email: string;
}

/** A form that takes an address: opened beforehand; what it returns sends it, which is what is measured. */
type Path = (asking: Asking) => Promise<() => Promise<Page>>;

const PATHS: Readonly<Record<string, Path>> = {
  async sign_in({ issuer, browser, email }) {
    const page = await browser.open(authorizationUrl(new URL(`${issuer}/authorize`)));
    return typeInto(browser, page, { password: "somebody else's password", email });
  },
  async registration({ issuer, browser, email }) {
    const page = await browser.open(authorizationUrl(new URL(`${issuer}/authorize`), { prompt: "create" }));
    return typeInto(browser, page, { email });
  },
  async reset({ issuer, browser, email }) {
    return typeInto(browser, await browser.open(`${issuer}/reset-password`), { email });
  },
  /** The code of a reset's mail, typed wrong. */
  async verification({ issuer, browser, email }) {
    const ask = typeInto(browser, await browser.open(`${issuer}/reset-password`), { email });
    return typeInto(browser, await ask(), { code: "000000" });
  },
};

/** Into the form that has the first of the fields. */
function typeInto(browser: Browser, page: Page, values: Record<string, string>): () => Promise<Page> {
  const form = page.formWith(Object.keys(values)[0] ?? "");
  return () => browser.submit(page, form, { values });
}

/**
 * Whether the time until the answer tells an address that has an account from one that has none. Both are asked about in
 * turns, in an order that is drawn each time, each from a network of its own; no two tries are about one address, so
 * that no limit is met.
 */
export async function runEnumerationScenario({ tryCount, progress }: EnumerationOptions): Promise<readonly Row[]> {
  await using started = new AsyncDisposableStack();
  const stores = await startStores();
  started.defer(() => stores.stop());
  const personCount = WARM_UP_TRIES + tryCount;
  const mailServer = await startMailServer();
  started.defer(() => mailServer.close());
  const settings = { MAIL_URL: mailServer.url, MAIL_FROM: "id@example.com" };
  const { issuer, stop } = await startLatchkeyNodes({ stores, personCount, nodeCount: 1, settings });
  started.defer(stop);
  const rows: Row[] = [];
  let serial = 0;
  for (const [name, path] of Object.entries(PATHS)) {
    progress(`enumeration: ${name}, ${tryCount} tries each`);
    const times = { known: [] as number[], unknown: [] as number[] };
    for (let at = 0; at < personCount; at += 1) {
      const kinds = Math.random() < 0.5 ? (["known", "unknown"] as const) : (["unknown", "known"] as const);
      for (const kind of kinds) {
        const email = kind === "known" ? personAt(at).email : `nobody-${at}@example.com`;
        const tookMs = await measure(path, { issuer, email, serial: (serial += 1) });
        if (at >= WARM_UP_TRIES) times[kind].push(tookMs);
      }
    }
    rows.push(...judge(name, times));
  }
  return rows;
}

async function measure(path: Path, asking: { issuer: string; email: string; serial: number }): Promise<number> {
  const { issuer, email, serial } = asking;
  const headers = { "x-forwarded-for": `10.${(serial >> 16) & 255}.${(serial >> 8) & 255}.${serial & 255}` };
  const browser = new Browser({ headers, appOrigins: [new URL(shopWeb.redirectUri).origin] });
  const send = await path({ issuer, browser, email });
  const startedAt = performance.now();
  const { status } = await send();
  const tookMs = performance.now() - startedAt;
  if (status === 429 || status >= 500) throw new Error(`a try was answered with ${status}, which measures a limit`);
  return tookMs;
}

function judge(name: string, { known, unknown }: { known: readonly number[]; unknown: readonly number[] }): Row[] {
  const found = differenceOfMedians(known, unknown);
  const row = { scenario: `enumeration/${name}`, variant: "latchkey", unit: "ms" };
  return [
    { ...row, metric: "known_p50_ms", value: median(known) },
    { ...row, metric: "unknown_p50_ms", value: median(unknown) },
    { ...row, metric: "difference_ms", value: found.difference },
    { ...row, metric: "difference_low_ms", value: found.low },
    { ...row, metric: "difference_high_ms", value: found.high },
    { ...row, metric: IS_WITHIN_MARGIN, value: isEquivalent(found, MARGIN_MS) ? 1 : 0, unit: "1" },
  ];
}
