import type { Clients } from "../clients/index.ts";
import type { Consents } from "./consents.ts";
import { describeAccess } from "./describe-interaction.ts";
import type { AllowedClient, AllowedClients, RequestingClient } from "./interactions-port.ts";

export interface AllowedClientsDeps {
  readonly clients: Pick<Clients, "findResourceServer">;
  readonly consents: Pick<Consents, "list">;
  readonly describeClient: (clientId: string | undefined) => Promise<RequestingClient | undefined>;
}

export function createAllowedClients({ clients, consents, describeClient }: AllowedClientsDeps): AllowedClients {
  return {
    async list(accountId) {
      const given = await consents.list(accountId);
      const described = given.map(async ({ clientId, scopes, givenAt }): Promise<readonly AllowedClient[]> => {
        const client = await describeClient(clientId);
        // What was allowed before an operator vouched for the client is of no matter now.
        if (client === undefined || client.isFirstParty) return [];
        return [{ client, access: await describeAccess(clients, scopes), allowedAt: givenAt }];
      });
      return (await Promise.all(described)).flat();
    },
    async describe(clientIds) {
      const clientsFound = await Promise.all([...new Set(clientIds)].map((id) => describeClient(id)));
      const others = clientsFound.filter((client) => client !== undefined).filter(({ isOurs }) => !isOurs);
      return new Map(others.map((client) => [client.id, client]));
    },
  };
}
