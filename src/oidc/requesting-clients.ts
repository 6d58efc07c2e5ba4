import type { Client, Clients } from "../clients/index.ts";
import { ACCOUNT_CLIENT_ID } from "./identity.ts";
import type { RequestingClient } from "./interactions-port.ts";

/** Describes clients for pages. */
export function createClientDescriptions(deps: { clients: Clients; issuer: string; brandName: string }) {
  return async (clientId: string | undefined): Promise<RequestingClient | undefined> => {
    if (clientId === undefined) return undefined;
    if (clientId === ACCOUNT_CLIENT_ID) return ownClient(deps.issuer, deps.brandName);
    const client = await deps.clients.findClient(clientId);
    return client && describe(client);
  };
}

function describe(client: Client): RequestingClient {
  const recognizable = client.homeUri ?? client.redirectUris[0] ?? "";
  return {
    id: client.id,
    name: client.name,
    host: URL.canParse(recognizable) ? new URL(recognizable).host : "",
    homeUri: client.initiateLoginUri ?? client.homeUri ?? firstOrigin(client.redirectUris),
    logoUri: client.logoUri,
    policyUri: client.policyUri,
    termsUri: client.termsUri,
    isOurs: false,
    isFirstParty: client.isFirstParty,
  };
}

/** An app that names no home page has one all the same, as a rule at the root of where it takes answers. */
function firstOrigin(uris: readonly string[]): string | undefined {
  const uri = uris.find((candidate) => /^https?:/i.test(candidate));
  return uri === undefined ? undefined : `${new URL(uri).origin}/`;
}

function ownClient(issuer: string, brandName: string): RequestingClient {
  return {
    id: ACCOUNT_CLIENT_ID,
    name: brandName,
    host: new URL(issuer).host,
    homeUri: `${issuer}/account`,
    logoUri: undefined,
    policyUri: undefined,
    termsUri: undefined,
    isOurs: true,
    isFirstParty: true,
  };
}
