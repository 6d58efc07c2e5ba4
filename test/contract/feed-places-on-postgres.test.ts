import { expect, onTestFinished, test } from "vitest";
import { createSharedPlaces } from "../../src/sessions/index.ts";
import { openPostgres } from "../../src/storage/index.ts";
import { createTableDatabase } from "../support/stores.ts";

const CLIENTS = 20;
const OPENINGS = 5;
const CONNECTIONS_MAX = 3;

test("connections that are asked for at the same moment at two nodes do not get past what a client may have", async () => {
  const ground = await createTableDatabase();
  onTestFinished(() => ground.drop());
  const options = { url: ground.url, poolMax: OPENINGS, onConnectionError: () => undefined };
  const nodes = ["one", "two"].map((ownId) => {
    const database = openPostgres(options);
    onTestFinished(() => database.close());
    const running = { ownId, listIds: async () => [] };
    return createSharedPlaces({ db: database.db, nodes: running, clientConnectionsMax: CONNECTIONS_MAX });
  });
  for (let client = 0; client < CLIENTS; client += 1) {
    const openings = nodes.flatMap((node) => Array.from({ length: OPENINGS }, () => node.take(`client-${client}`)));
    const taken = await Promise.all(openings);
    expect(taken.filter((leave) => leave !== undefined)).toHaveLength(CONNECTIONS_MAX);
  }
});
