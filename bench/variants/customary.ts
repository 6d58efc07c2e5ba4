import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { freePort } from "../../test/support/servers.ts";
import { populateCustomary } from "../customary/population.ts";
import { startChildServer } from "./child-server.ts";
import type { Variant } from "./variant.ts";
import type { CustomaryOptions } from "../customary/provider.ts";

const WORKER = join(import.meta.dirname, "../customary/server.ts");

/** Bare oidc-provider with the usual Redis adapter. It knows every account, and needs no Postgres. */
export const customary: Variant = {
  name: "customary",
  async start({ stores }) {
    const options: CustomaryOptions = {
      issuer: `http://127.0.0.1:${await freePort()}`,
      redisUrl: stores.redisUrl,
      clientSecret: randomBytes(32).toString("base64url"),
      cookieSecret: randomBytes(32).toString("base64url"),
    };
    const child = await startChildServer(WORKER, { options });
    return { name: "customary", issuer: options.issuer, clientSecret: options.clientSecret, ...child };
  },
  populate: populateCustomary,
};
