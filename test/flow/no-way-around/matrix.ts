import { decodeJwt } from "jose";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { z } from "zod";
import type { Stores } from "../../support/latchkey.ts";
import { errorOf, type Tokens } from "../../support/relying-party.ts";
import { type Arrival, PATHS } from "./paths.ts";
import { addWalker, openBrowser } from "./people.ts";
import { openPlaces, type Owner, type Place, type Places } from "./places.ts";
import { type Expectation, POLICIES, readTable } from "./table.ts";

/** Every path of the table under every policy. */
export function testEveryPath(stores: Stores, owner: Owner): void {
  let opened: Places;
  beforeAll(async () => {
    opened = await openPlaces(stores, owner);
  });
  afterAll(() => opened.close());

  describe.each(POLICIES)(`on ${stores}, where the ${owner}'s policy is %s`, (policy) => {
    test.each(readTable())("$path ($whose) ends as it asks [RFC 8176, ASVS 6.3.4]", async (row) => {
      const place = opened.places[policy];
      const path = PATHS[row.path];
      if (path === undefined) throw new Error(`nobody knows how to walk ${row.path}`);
      const { world } = place;
      const walk = { world, person: await addWalker(world, row.whose), browser: openBrowser(world) };
      expect(await tell(place, await path(place, walk))).toEqual(row.under(policy));
    });
  });
}

/** What the tokens say, or what the app gets instead. ID token and access token say the same. */
async function tell({ app, stranger }: Place, arrival: Arrival): Promise<Expectation> {
  if ("tokens" in arrival) return settled(arrival.tokens);
  const { request, url } = arrival;
  const error = url.searchParams.get("error");
  if (error !== null) return { error };
  const client = [app, stranger].find(
    ({ client: { client_id: id } }) => request.url.searchParams.get("client_id") === id,
  );
  if (client === undefined) throw new Error("the request is of neither app");
  return settled(client.complete(request, url));
}

async function settled(tokens: Promise<Tokens>): Promise<Expectation> {
  const [outcome] = await Promise.allSettled([tokens]);
  if (outcome.status === "rejected") return { error: await errorOf(tokens) };
  const { claims, accessToken } = outcome.value;
  const said = z.object({ acr: z.string(), amr: z.array(z.string()) }).parse(claims);
  expect(decodeJwt(accessToken)).toMatchObject(said);
  return said;
}
