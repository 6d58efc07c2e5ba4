import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Stores } from "../../support/latchkey.ts";
import { startTimeTravel } from "../../support/time-travel.ts";
import { type Deployment, deploy } from "./deployment.ts";
import { kindsOf, listRefused, prepareProbes, signsInAgain } from "./probes.ts";
import { type Scene, setScene } from "./scene.ts";
import { type Kind, readTable, type Row, type Whose, WHOSE } from "./table.ts";
import { WAYS } from "./ways.ts";

/** What is bounded by time holds for this long, for clocks that differ. */
const SAFE_SIDE_SECONDS = 6;
const HEARD_MS_MAX = 15_000;

/** They end what everybody has, so that nobody else can be in their deployment. */
const OF_EVERYBODY: ReadonlySet<string> = new Set(["a signing key that was withdrawn", "revoke --all"]);

const rows = readTable();
const ofEverybody = rows.filter(({ way }) => OF_EVERYBODY.has(way));
const ofSomebody = rows.filter(({ way }) => !OF_EVERYBODY.has(way));

test("each line of the table is a way that can be gone, and each way has its line", () => {
  expect(rows.map(({ way }) => way).toSorted()).toEqual(Object.keys(WAYS).toSorted());
});

describe.each<Stores>(["redis", "postgres"])("on two nodes and %s, by", (stores) => {
  let shared: Deployment;
  beforeAll(async () => {
    shared = await deploy(stores);
  });
  afterAll(() => shared.close());

  test.each(ofSomebody)("$way ends what it should, and nothing else [ASVS 7.4.1]", (row) => goThrough(row, shared));

  test.each(ofEverybody)("$way ends what it should, and nothing else", async (row) => {
    const own = await deploy(stores);
    try {
      await goThrough(row, own);
    } finally {
      await own.close();
    }
  });
});

async function goThrough({ way, again, refused }: Row, deployment: Deployment): Promise<void> {
  const scene = await setScene(deployment);
  const probes = prepareProbes(scene);
  await WAYS[way]?.(scene);
  if (again === "anew") await outlastEpoch(scene);
  else await deployment.servicesCaughtUp();
  const found: Partial<Record<Whose, readonly Kind[]>> = {};
  for (const whose of WHOSE) found[whose] = await listRefused(probes[whose]);
  expect(found).toEqual(Object.fromEntries(WHOSE.map((whose) => [whose, refused(whose, kindsOf(probes[whose]))])));
  expect(await signsInAgain(scene)).toBe(again === "lives" || again === "anew");
  if (again !== "later") return;
  startTimeTravel().advanceSeconds(SAFE_SIDE_SECONDS);
  // The jump in time looks to services like a silence.
  await expect.poll(() => signsInAgain(scene), { timeout: HEARD_MS_MAX, interval: 100 }).toBe(true);
}

/** Nodes and services refuse what comes within its five seconds, and accept again after them. */
async function outlastEpoch(scene: Scene): Promise<void> {
  const { deployment, atShop } = scene;
  const heard = { timeout: HEARD_MS_MAX, interval: 5 };
  await expect.poll(() => deployment.askServices(atShop.jwt), heard).toEqual(["token_revoked", "token_revoked"]);
  expect(await signsInAgain(scene)).toBe(false);
  startTimeTravel().advanceSeconds(SAFE_SIDE_SECONDS);
  await deployment.servicesCaughtUp();
}
