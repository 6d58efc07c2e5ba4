import type { Clients } from "../clients/index.ts";
import { guardStore } from "../storage/index.ts";
import { currentRequestScope } from "./adapter/index.ts";

/**
 * The clients as one request asks for them: when they could not be read once, it does not wait for them again. The
 * protocol looks its client up anew to explain an error, which would double the time until the answer.
 */
export function waitOnceFor(clients: Clients): Clients {
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
  return {
    ...clients,
    findClient: (id) => read(() => clients.findClient(id)),
    findResourceServer: (identifier) => read(() => clients.findResourceServer(identifier)),
  };
}
