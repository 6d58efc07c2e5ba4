import { expect, onTestFinished, test } from "vitest";
import { randomToken } from "../../src/core/index.ts";
import { addAccount, openRedisGround } from "./grounds.ts";
import { createNode, issueRefreshToken, rotate, signIn } from "./library.ts";

/** Beside it, the key's end and its places in the tables take about 60. */
const SIGN_IN_BYTES_MAX = 280;

test("a sign-in with one client and a rotated refresh token is one compact list of at most 280 bytes", async () => {
  const ground = await openRedisGround();
  onTestFinished(() => ground.close());
  const connection = await ground.connect();
  const node = createNode(ground, connection);
  const accountId = randomToken(16);
  await addAccount(connection.db, accountId);
  const made = await signIn(node, { accountId, clientIds: ["shop-web-9f3c51d7"] });
  await rotate(node, await issueRefreshToken(node, made, "shop-web-9f3c51d7"));
  expect(await ground.listKeys()).toHaveLength(1);
  const { encoding, bytes } = await ground.weigh(`lk:{${made.tag}}`);
  expect(encoding).toBe("listpack");
  expect(bytes).toBeLessThanOrEqual(SIGN_IN_BYTES_MAX);
});
