import type { Browser, BrowserContext, BrowserContextOptions, Page } from "playwright-core";
import { onTestFinished, TestRunner } from "vitest";
import { startDemo } from "../../src/demo/index.ts";
import type { Person } from "../support/cast.ts";
import { startChromium } from "../support/chromium.ts";
import { type LatchkeyOptions, startLatchkey, type TestLatchkey } from "../support/latchkey.ts";
import { freePort } from "../support/servers.ts";

const STEP_TIMEOUT_MS = 15_000;

/** For `expect.poll`: as long as any step of a journey may take. */
export const PATIENTLY = { timeout: STEP_TIMEOUT_MS } as const;

/** A Latchkey, its demo, and a Chromium to visit them with. */
export interface DemoWorld {
  readonly latchkey: TestLatchkey;
  readonly chromium: Browser;
  readonly appUrl: string;
  readonly apiUrl: string;
  /** A page of a browser without a past. */
  openPage(options?: BrowserContextOptions): Promise<Page>;
  close(): Promise<void>;
}

export async function createDemoWorld(options: LatchkeyOptions): Promise<DemoWorld> {
  const ports = { appPort: await freePort(), apiPort: await freePort() };
  const latchkey = await startLatchkey(options);
  const demo = await startDemo({ config: { ...latchkey.config, demo: ports }, clients: latchkey.clients });
  const chromium = await startChromium();
  return {
    latchkey,
    chromium,
    appUrl: demo.appUrl,
    apiUrl: `http://localhost:${ports.apiPort}`,
    openPage: async (contextOptions) => (await openBrowser(chromium, contextOptions)).newPage(),
    async close() {
      await chromium.close();
      await demo.close();
      await latchkey.close();
    },
  };
}

/** Gone with the test that opened it: pages that nobody looks at any more go on costing. */
async function openBrowser(chromium: Browser, options: BrowserContextOptions | undefined): Promise<BrowserContext> {
  const context = await chromium.newContext(options);
  context.setDefaultTimeout(STEP_TIMEOUT_MS);
  const isInTest = TestRunner.getCurrentTest() !== undefined;
  if (isInTest) onTestFinished(() => context.close());
  return context;
}

/** What the page says, for `expect.poll`: a failure then shows what it said instead. */
export function textOf(page: Page): () => Promise<string> {
  return () => page.locator("body").innerText();
}

/** The page's heading, for `expect.poll`. */
export function headingOf(page: Page): () => Promise<string> {
  return () => page.getByRole("heading", { level: 1 }).innerText();
}

export async function press(page: Page, name: string): Promise<void> {
  await page.getByRole("button", { name, exact: true }).click();
}

/** Fills in the hosted sign-in page and sends it. */
export async function signIn(page: Page, person: Pick<Person, "email" | "password">): Promise<void> {
  await page.getByLabel("Email", { exact: true }).fill(person.email);
  await page.getByLabel("Password", { exact: true }).fill(person.password);
  await press(page, "Sign in");
}

/** Fills in the page on which accounts are created and sends it. */
export async function createAccount(page: Page, person: Person): Promise<void> {
  await page.getByLabel("Your name").fill(person.name);
  await page.getByLabel("Email", { exact: true }).fill(person.email);
  await page.getByLabel("Password", { exact: true }).fill(person.password);
  await press(page, "Create account");
}
