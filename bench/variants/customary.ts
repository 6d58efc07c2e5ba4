import { randomBytes } from "node:crypto";
import { freePort } from "../../test/support/servers.ts";
import { populateCustomary } from "../customary/population.ts";
import type { CustomaryOptions } from "../customary/provider.ts";
import { PROGRAMS } from "./programs.ts";
import { startServerProcess } from "./server-process.ts";
import type { Variant } from "./variant.ts";

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
    const { issuer, clientSecret } = options;
    const server = await startServerProcess({
      script: PROGRAMS.customary,
      args: [JSON.stringify(options)],
      readyUrl: `${issuer}/.well-known/openid-configuration`,
    });
    return { name: "customary", issuer, clientSecret, ...server };
  },
  populate: populateCustomary,
};
