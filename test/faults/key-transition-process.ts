/**
 * A node that is about to do what is due with the signing keys, and is killed (SIGKILL) at a statement of its choosing,
 * before that is sent. It ends with 0 when it was done before.
 *
 * Arguments: the database's URL, the secret, by how many milliseconds its clock is ahead, and the number of the statement.
 */
import type { Db } from "../../src/storage/index.ts";
import { openPostgres } from "../../src/storage/index.ts";
import { startRing } from "./key-ring-node.ts";

const [url = "", secret = "", aheadMs = "0", killAt = "0"] = process.argv.slice(2);
const database = openPostgres({ url, poolMax: 4, onConnectionError: () => undefined });
const counted = { now: 0 };

const killing = (db: Db): Db =>
  db.withPlugin({
    transformQuery({ node }) {
      counted.now += 1;
      if (counted.now === Number(killAt)) process.kill(process.pid, "SIGKILL");
      return node;
    },
    transformResult: async ({ result }) => result,
  });

const wired = { ...database, db: killing(database.db), followingDb: killing(database.followingDb) };
const ring = await startRing({ database: wired, secret, aheadMs: Number(aheadMs) });
await ring.close();
await database.close();
