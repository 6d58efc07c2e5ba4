import type { FactorPolicy } from "../../../src/config/index.ts";
import { ordersApi } from "../../support/cast.ts";
import type { RelyingParty } from "../../support/relying-party.ts";
import type { World } from "../../support/world.ts";

/** One first-party app for each policy of a client's own, with JWTs for an API. */
export async function addPolicyApps(world: World): Promise<Readonly<Record<FactorPolicy, RelyingParty>>> {
  const add = async (mfa: FactorPolicy): Promise<RelyingParty> => {
    const [id, redirectUri] = [`${mfa}Web`, `https://notes.example.com/${mfa}`];
    await world.latchkey.clients.addClient({
      id,
      name: `App ${mfa}`,
      isFirstParty: true,
      mfa,
      redirectUris: [redirectUri],
      resources: [{ identifier: ordersApi.identifier, scopes: ["orders:read"] }],
      defaultResource: ordersApi.identifier,
    });
    return world.appOf({ clientId: id, redirectUri });
  };
  return { off: await add("off"), optional: await add("optional"), required: await add("required") };
}
