import { afterAll, beforeAll, expect, test } from "vitest";
import { fromAnywhere } from "../../support/addresses.ts";
import type { Browser, Page } from "../../support/browser.ts";
import { submitSignIn } from "../../support/journeys.ts";
import type { TestLatchkey } from "../../support/latchkey.ts";
import { askNode, type RawAnswer } from "../../support/raw-http.ts";
import { startSecondNode } from "../../support/services.ts";
import { createWorld, type World } from "../../support/world.ts";
import { type EnrolledPerson, enrollPerson } from "../mfa/people.ts";

/** Hashing is bounded: who comes on top of that is asked to come later. */
const SIGN_INS_AT_ONCE = 4;

let world: World;
let nodes: readonly TestLatchkey[];
beforeAll(async () => {
  world = await createWorld({ stores: "redis", settings: { TRUSTED_PROXIES: "1" } });
  nodes = [world.latchkey, await startSecondNode(world.latchkey)];
});
afterAll(async () => {
  await nodes[1]?.close();
  await world.close();
});

/** The password is right, and a code is asked for. */
interface Half {
  readonly browser: Browser;
  readonly page: Page;
}

async function beginMany(person: EnrolledPerson, count: number): Promise<readonly Half[]> {
  const halves: Half[] = [];
  const beginSome = async (): Promise<void> => {
    while (halves.length < count) {
      const browser = world.openBrowser(fromAnywhere());
      const page = await browser.open((await world.apps.notesWeb.begin()).url);
      halves.push({ browser, page: await submitSignIn(browser, page, person) });
    }
  };
  await Promise.all(Array.from({ length: SIGN_INS_AT_ONCE }, beginSome));
  return halves.slice(0, count);
}

/** Sends a code to one node after the other, all of them at once. */
function submitAll(halves: readonly Half[], code: string, step = "second-factor"): Promise<readonly RawAnswer[]> {
  const submit = ({ browser, page }: Half, turn: number): Promise<RawAnswer> => {
    const url = new URL(page.url.href.replace("/second-factor", `/${step}`));
    const csrf = page.formWith("code").fields.get("csrf") ?? "";
    return askNode(`http://127.0.0.1:${nodes[turn % nodes.length]?.settings.PORT}${url.pathname}${url.search}`, {
      method: "POST",
      headers: {
        host: url.host,
        cookie: browser.jar.headerFor(url),
        "content-type": "application/x-www-form-urlencoded",
      },
      body: new URLSearchParams({ csrf, code }).toString(),
    });
  };
  return Promise.all(halves.map(submit));
}

/** Goes on with who won; who lost is told of a wrong code, or of a pause. */
async function winnersOf(halves: readonly Half[], answers: readonly RawAnswer[]): Promise<readonly Half[]> {
  expect(answers.filter(({ status }) => ![303, 400, 429].includes(status))).toEqual([]);
  const winners = halves.map(({ browser }, turn) => ({ browser, answer: answers[turn] }));
  return Promise.all(
    winners
      .filter(({ answer }) => answer?.status === 303)
      .map(async ({ browser, answer }) => {
        const location = answer?.headers.get("location") ?? "";
        return { browser, page: await browser.open(new URL(location, world.latchkey.issuer)) };
      }),
  );
}

test("of 200 parallel uses of one code, at two nodes, one is a sign-in [ASVS 6.5.1]", async () => {
  const alice = await enrollPerson(world);
  const halves = await beginMany(alice, 200);
  const winners = await winnersOf(halves, await submitAll(halves, alice.app.code()));
  expect(winners.map(({ page }) => page.url.searchParams.has("code"))).toEqual([true]);
  expect(await world.latchkey.sessions.list(alice.id)).toHaveLength(1);
});

test("of 20 parallel uses of one recovery code, at two nodes, one is a sign-in [ASVS 6.5.1]", async () => {
  const alice = await enrollPerson(world);
  const halves = await beginMany(alice, 20);
  const answers = await submitAll(halves, alice.recoveryCodes[0] ?? "", "recovery-code");
  const [winner, ...others] = await winnersOf(halves, answers);
  if (winner === undefined) throw new Error("nobody won");
  expect(others).toEqual([]);
  expect((await world.latchkey.factors.overview(alice.id)).recoveryCodes?.left).toBe(9);
  const { url } = await winner.browser.submit(winner.page, winner.page.formWith("csrf"));
  expect(url.searchParams.has("code")).toBe(true);
  for (const { browser } of halves) await browser.open(`${world.latchkey.issuer}/account`);
  expect(await world.latchkey.sessions.list(alice.id)).toHaveLength(1);
});

test("of 20 wrong codes at once, at two nodes, five are looked at; no right one after them [ASVS 6.3.1]", async () => {
  const alice = await enrollPerson(world);
  const halves = await beginMany(alice, 21);
  const answers = await submitAll(halves.slice(1), alice.app.wrongCode());
  expect(answers.filter(({ status }) => status === 400)).toHaveLength(5);
  expect(answers.filter(({ status }) => status === 429)).toHaveLength(15);
  for (const kind of ["second-factor", "recovery-code"]) {
    const code = kind === "second-factor" ? alice.app.code() : (alice.recoveryCodes[0] ?? "");
    const [paused] = await submitAll(halves.slice(0, 1), code, kind);
    expect(paused?.status).toBe(429);
  }
  expect(await world.latchkey.sessions.list(alice.id)).toEqual([]);
});
