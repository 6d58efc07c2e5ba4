import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { isAppError } from "../../src/core/index.ts";
import type { Page } from "../support/browser.ts";
import { alice, bob, mallory } from "../support/cast.ts";
import { submitSignIn } from "../support/journeys.ts";
import { startNode, type TestLatchkey } from "../support/latchkey.ts";
import { freePort } from "../support/servers.ts";
import { stopTime } from "../support/time-travel.ts";
import { createWorld, type World } from "../support/world.ts";

const PER_ACCOUNT_MAX = 10;
const PER_ADDRESS_MAX = 50;
const PAUSE_SECONDS = 15 * 60;
let world: World;
let secondNode: TestLatchkey;
let untrusting: World;
beforeAll(async () => {
  // Behind one proxy that the tests play: each test comes from an address of its own.
  world = await createWorld({ stores: "redis", settings: { TRUSTED_PROXIES: "1" } });
  secondNode = await startNode({ settings: { ...world.latchkey.settings, PORT: String(await freePort()) } });
  untrusting = await createWorld({ stores: "postgres" });
});
afterAll(async () => {
  await secondNode.close();
  await world.close();
  await untrusting.close();
});

interface Attempt {
  readonly email: string;
  readonly password: string;
  readonly address: string;
}

async function attempt({ email, password, address }: Attempt, at: World = world): Promise<Page> {
  const browser = at.openBrowser({ "x-forwarded-for": address });
  const page = await browser.open(`${at.latchkey.issuer}/sign-in`);
  return await submitSignIn(browser, page, { email, password });
}

const statusesOf = (pages: readonly Page[]): Record<number, number> => {
  const counts: Record<number, number> = {};
  for (const { status } of pages) counts[status] = (counts[status] ?? 0) + 1;
  return counts;
};

/** What became of wrong passwords, half of them at each node. */
async function guessAtBoth(guesses: readonly Attempt[]): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  const note = (outcome: string): void => void (counts[outcome] = (counts[outcome] ?? 0) + 1);
  const nodes = [world.latchkey, secondNode];
  await Promise.all(
    guesses.map(async ({ email, password, address }, at) => {
      const { accounts } = nodes[at % nodes.length] ?? world.latchkey;
      try {
        note((await accounts.signIn({ email, password, source: { address } })).outcome);
      } catch (error) {
        // There was no room to hash it, so that it was counted and not evaluated.
        if (!isAppError(error, "HASHING_BUSY")) throw error;
        note("busy");
      }
    }),
  );
  return counts;
}

test("of 200 parallel wrong sign-ins over two nodes no more than the limit is evaluated [ASVS 6.3.1]", async () => {
  const guesses = Array.from({ length: 200 }, (_, at) => ({
    email: at % 3 === 0 ? "WALTER@example.com" : " walter@Example.com ",
    password: `wrong password number ${at}`,
    address: `203.0.113.${at}`,
  }));
  const { refused = 0, busy = 0, throttled = 0 } = await guessAtBoth(guesses);
  expect(refused + busy).toBe(PER_ACCOUNT_MAX);
  expect(throttled).toBe(200 - PER_ACCOUNT_MAX);
});

test("stuffing 1,000 accounts from one address is stopped, and their owners are not delayed [ASVS 6.3.1]", async () => {
  stopTime();
  const address = "203.0.113.200";
  const stolen = Array.from({ length: 1_000 }, (_, at) => ({
    email: at % 100 === 0 ? bob.email : `victim-${at}@example.com`,
    password: `stolen password ${at}`,
    address,
  }));
  for (let from = 0; from < stolen.length; from += 20) await guessAtBoth(stolen.slice(from, from + 20));
  const { audit } = world.latchkey;
  const failed = await audit.list({ type: "sign_in_failed", limit: 1_000 });
  expect(failed.filter((event) => event.address === address).length).toBeLessThanOrEqual(PER_ADDRESS_MAX);
  const told = await audit.list({ type: "sign_in_throttled", limit: 1_000 });
  expect(told.filter((event) => event.address === address)).toHaveLength(1);
  const page = await attempt({ ...bob, address });
  expect(page.status).toBe(429);
  expect(page.text).toMatch(/You can try again in/);
  expect((await attempt({ ...bob, address: "198.51.100.77" })).status).toBe(200);
});

test("of 200 parallel wrong sign-ins no more than the limit is evaluated; then the right password waits, too [ASVS 6.3.1]", async () => {
  const time = stopTime();
  const attempts = Array.from({ length: 200 }, (_, index) => ({
    email: alice.email,
    password: `wrong password number ${index}`,
    // From many places at once: what holds is the account's own limit.
    address: `203.0.113.${index}`,
  }));
  const counts = statusesOf(await Promise.all(attempts.map((one) => attempt(one))));
  // 503: there was no room to hash it, so that it was counted and not evaluated.
  expect((counts[400] ?? 0) + (counts[503] ?? 0)).toBeLessThanOrEqual(PER_ACCOUNT_MAX);
  expect(counts[429]).toBeGreaterThanOrEqual(200 - PER_ACCOUNT_MAX);
  const right = await attempt({ ...alice, address: "198.51.100.1" });
  expect(right.status).toBe(429);
  expect(Number(right.headers.get("retry-after"))).toBeGreaterThan(60);
  expect(right.text).toMatch(/Too many attempts. You can try again in 15 minutes./);
  expect((await attempt({ ...bob, address: "198.51.100.2" })).status).toBe(200);
  time.advanceSeconds(PAUSE_SECONDS);
  expect((await attempt({ ...alice, address: "198.51.100.1" })).status).toBe(200);
});

test("a person in a browser that they signed in with is not locked out by strangers [ASVS 6.3.1]", async () => {
  const time = stopTime();
  const atHome = world.openBrowser({ "x-forwarded-for": "198.51.100.50" });
  const again = { prompt: "login", state: "fixed", nonce: "fixed" };
  await submitSignIn(atHome, await atHome.open((await world.apps.notesWeb.begin(again)).url), bob);
  for (let count = 0; count < PER_ACCOUNT_MAX; count += 1) {
    await attempt({ email: bob.email, password: "wrong", address: `203.0.113.${count}` });
  }
  expect((await attempt({ ...bob, address: "198.51.100.51" })).status).toBe(429);
  const page = await atHome.open((await world.apps.notesWeb.begin(again)).url);
  expect((await submitSignIn(atHome, page, bob)).status).toBe(200);
  expect((await attempt({ ...bob, address: "198.51.100.51" })).status).toBe(429);
  time.advanceSeconds(PAUSE_SECONDS);
  expect((await attempt({ ...bob, address: "198.51.100.51" })).status).toBe(200);
});

test("every spelling of an address counts as one [ASVS 6.3.1]", async () => {
  const spellings = [mallory.email, "MALLORY@example.com", " mallory@example.com ", "Mallory@EXAMPLE.COM"];
  for (let count = 0; count < PER_ACCOUNT_MAX; count += 1) {
    const email = spellings[count % spellings.length] ?? "";
    const page = await attempt({ email, password: "wrong", address: `192.0.2.${count}` });
    expect(page.status).toBe(400);
  }
  for (const email of spellings) {
    expect((await attempt({ email, password: mallory.password, address: "192.0.2.99" })).status).toBe(429);
  }
});

test("an unknown account is limited like a known one [ASVS 6.3.8]", async () => {
  const guess = { email: "nobody@example.com", password: "wrong" };
  for (let count = 0; count < PER_ACCOUNT_MAX; count += 1) {
    expect((await attempt({ ...guess, address: `192.0.2.${100 + count}` })).status).toBe(400);
  }
  expect((await attempt({ ...guess, address: "192.0.2.120" })).status).toBe(429);
});

describe("one address", () => {
  test("is limited over all accounts, and over the /64 that it stands in", async () => {
    stopTime();
    const addressOf = (count: number): string => `2001:db8:1:2::${(count + 1).toString(16)}`;
    const pages: Page[] = [];
    for (let count = 0; count < PER_ADDRESS_MAX + 3; count += 1) {
      const email = `person${count}@example.com`;
      pages.push(await attempt({ email, password: "wrong", address: addressOf(count) }));
    }
    expect(statusesOf(pages)).toEqual({ 400: PER_ADDRESS_MAX, 429: 3 });
    expect((await attempt({ ...bob, address: addressOf(99) })).status).toBe(429);
    expect((await attempt({ ...bob, address: "2001:db8:1:3::1" })).status).toBe(200);
  });

  test("cannot be made up by whoever is no trusted proxy", async () => {
    stopTime();
    const pages: Page[] = [];
    for (let count = 0; count < PER_ADDRESS_MAX + 3; count += 1) {
      const guess = { email: `person${count}@example.com`, password: "wrong", address: `203.0.113.${count}` };
      pages.push(await attempt(guess, untrusting));
    }
    expect(statusesOf(pages)).toEqual({ 400: PER_ADDRESS_MAX, 429: 3 });
  });
});

test("a success gives the account its attempts back", async () => {
  for (let round = 0; round < 3; round += 1) {
    for (let count = 0; count < 4; count += 1) {
      const guess = { email: bob.email, password: "wrong", address: `198.51.100.${10 + count}` };
      expect((await attempt(guess)).status).toBe(400);
    }
    expect((await attempt({ ...bob, address: "198.51.100.20" })).status).toBe(200);
  }
});
