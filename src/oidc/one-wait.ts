import type { Accounts } from "../accounts/index.ts";
import type { Clients } from "../clients/index.ts";
import { guardStore } from "../storage/index.ts";
import { currentRequestScope } from "./adapter/index.ts";

/**
 * Clients and accounts as one request asks for them: when they could not be read once, it does not wait for them again.
 * The protocol looks its client up anew to explain an error, which would double the time until the answer.
 */
export function waitOnceFor<Records extends { readonly clients: Clients; readonly accounts: Accounts }>(
  records: Records,
): Records {
  const { clients, accounts } = records;
  return {
    ...records,
    clients: {
      ...clients,
      findClient: (id) => read(() => clients.findClient(id)),
      findResourceServer: (identifier) => read(() => clients.findResourceServer(identifier)),
    },
    accounts: { ...accounts, find: (id) => read(() => accounts.find(id)) },
  };
}

async function read<Result>(ask: () => Promise<Result>): Promise<Result> {
  const scope = currentRequestScope();
  if (scope?.storeFailure !== undefined) throw scope.storeFailure;
  try {
    return await guardStore(ask);
  } catch (error) {
    if (scope !== undefined && error instanceof Error) scope.storeFailure = error;
    throw error;
  }
}
