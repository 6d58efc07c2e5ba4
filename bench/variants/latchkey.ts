import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { freePort } from "../../test/support/servers.ts";
import { populateLatchkey } from "../latchkey/population.ts";
import type { LatchkeyOptions, LatchkeyReady } from "../latchkey/server.ts";
import { startChildServer } from "./child-server.ts";
import { imageStart } from "./image-start.ts";
import type { Variant } from "./variant.ts";

const WORKER = join(import.meta.dirname, "../latchkey/server.ts");

/** Latchkey itself as its image starts it, with its settings as they come, on Redis and Postgres and behind one proxy. */
export const latchkey: Variant = {
  name: "latchkey",
  async start({ stores, personCount }) {
    const port = await freePort();
    const issuer = `http://127.0.0.1:${port}`;
    const options: LatchkeyOptions = {
      settings: {
        ISSUER: issuer,
        PORT: String(port),
        DATABASE_URL: stores.postgresUrl,
        REDIS_URL: stores.redisUrl,
        LATCHKEY_SECRET: randomBytes(48).toString("base64url"),
        MIGRATIONS: "apply",
        TRUSTED_PROXIES: "1",
      },
      personCount,
    };
    const { ready, ...child } = await startChildServer<LatchkeyReady>(WORKER, { options, start: imageStart() });
    return { name: "latchkey", issuer, clientSecret: ready.clientSecret, ...child };
  },
  populate: populateLatchkey,
};
