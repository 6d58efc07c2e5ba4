import { sql } from "kysely";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { addAccount, type Ground, type StoreConnection } from "./grounds.ts";
import { createNode, type Node, type NodeOptions, request, type SignIn, signIn } from "./library.ts";
import { readRow } from "./session-records.ts";

const ALICE = "kR3vVb7mSTy0Hq2Ck9yW5Q";
const BOB = "bob";
const MAX = 2;

/** How many sessions a person may have at once, over any number of nodes. */
export function sessionLimitContract(openGround: () => Promise<Ground>): void {
  let ground: Ground;
  let connections: readonly StoreConnection[];
  beforeAll(async () => {
    ground = await openGround();
    connections = [await ground.connect(), await ground.connect()];
    for (const id of [ALICE, BOB]) await addAccount(first().db, id);
  });
  beforeEach(async () => {
    await ground.clear();
    await sql`delete from sessions`.execute(first().db);
  });
  afterAll(() => ground.close());

  function first(): StoreConnection {
    const [connection] = connections;
    if (connection === undefined) throw new Error("the ground is closed");
    return connection;
  }

  const nodesWith = (limitPolicy: "evict-oldest" | "refuse", more: NodeOptions = {}): readonly [Node, Node] => {
    const options = { ...more, session: { maxPerAccount: MAX, limitPolicy } };
    return [createNode(ground, first(), options), createNode(ground, connections[1] ?? first(), options)];
  };
  const alice = (node: Node, lifetimeSeconds?: number): Promise<SignIn> =>
    signIn(node, {
      accountId: ALICE,
      clientIds: ["shopWeb"],
      ...(lifetimeSeconds === undefined ? {} : { lifetimeSeconds }),
    });
  const countLiving = async (node: Node, made: readonly SignIn[]): Promise<number> => {
    const found = await Promise.all(made.map((one) => request(node, () => node.model("Session").find(one.sessionId))));
    return found.filter((session) => session !== undefined).length;
  };

  test("the oldest session makes room for one too many, and nobody else's", async () => {
    const [node, other] = nodesWith("evict-oldest");
    const bobs = await signIn(node, { accountId: BOB, clientIds: [] });
    const made = [await alice(node)];
    await ground.passBrief();
    made.push(await alice(other));
    await ground.passBrief();
    made.push(await alice(node));
    expect((await node.sessions.list(ALICE)).map(({ id }) => id).toSorted()).toEqual(
      made
        .slice(1)
        .map(({ tag }) => tag)
        .toSorted(),
    );
    expect(await readRow(first().db, made[0]?.tag ?? "")).toMatchObject({ reason: "limit", waiting: false });
    expect(await countLiving(other, [bobs])).toBe(1);
  });

  test("or else one too many is refused, until one of the others ends", async () => {
    const [node, other] = nodesWith("refuse");
    const [, second] = [await alice(node), await alice(other)];
    await expect(alice(node)).rejects.toMatchObject({ code: "SESSION_LIMIT_REACHED" });
    await other.sessions.end(ALICE, second.tag, "ended_by_person");
    await expect(alice(node)).resolves.toBeDefined();
  });

  test("what ended through idleness does not count", async () => {
    const [node, other] = nodesWith("refuse");
    await alice(node, 1);
    await alice(other, 1);
    await ground.passBrief();
    // So young, they might be about to begin.
    await sql`update sessions set created_at = created_at - interval '1 minute'`.execute(first().db);
    await expect(alice(node)).resolves.toBeDefined();
    await expect(alice(other)).resolves.toBeDefined();
    await expect(alice(node)).rejects.toMatchObject({ code: "SESSION_LIMIT_REACHED" });
  });

  test.each(["evict-oldest", "refuse"] as const)(
    "with %s, sign-ins at once on two nodes never leave more",
    async (policy) => {
      const nodes = nodesWith(policy);
      const results = await Promise.allSettled(
        Array.from({ length: 8 }, (_, at) => alice(nodes[at % 2 === 0 ? 0 : 1])),
      );
      const made = results.flatMap((result) => (result.status === "fulfilled" ? [result.value] : []));
      expect(await countLiving(nodes[0], made)).toBe(MAX);
      expect(await nodes[1].sessions.list(ALICE)).toHaveLength(MAX);
    },
  );

  test("without a limit there is none", async () => {
    const node = createNode(ground, first());
    const made = await Promise.all(Array.from({ length: 5 }, () => alice(node)));
    expect(await countLiving(node, made)).toBe(5);
  });
}
