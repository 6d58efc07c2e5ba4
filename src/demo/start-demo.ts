import type { Server } from "node:http";
import { createOrdersApi } from "../../examples/api/orders-api.ts";
import type { Clients } from "../clients/index.ts";
import type { Config } from "../config/index.ts";
import { randomToken } from "../core/index.ts";
import { createAppServer } from "./app-server.ts";
import { API_CLIENT_ID, APP_CLIENT_ID, APP_SCOPE, registerDemo } from "./register-demo.ts";

export interface Demo {
  /** Where to open the app. */
  readonly appUrl: string;
  /** Where the API shows what it hears and whom it refuses. */
  readonly apiUrl: string;
  close(): Promise<void>;
}

export class DemoPortInUseError extends Error {
  constructor(what: string, port: number, setting: string) {
    super(
      `Port ${port}, where the demo's ${what} would listen, is in use. Stop what uses it, set ${setting} to another port, or set DEMO=off.`,
    );
    this.name = "DemoPortInUseError";
  }
}

/** @throws DemoPortInUseError */
export async function startDemo(deps: {
  readonly config: Config;
  readonly clients: Pick<Clients, "applyDocument">;
}): Promise<Demo> {
  const { issuer, demo: ports, listen } = deps.config;
  if (ports === undefined) throw new Error("the demo was started although the configuration has none");
  const appUrl = `http://localhost:${ports.appPort}`;
  const apiUrl = `http://localhost:${ports.apiPort}`;
  const apiSecret = randomToken();
  await registerDemo(deps.clients, { appUrl, apiUrl, apiSecret });

  const app = await createAppServer({ issuer, clientId: APP_CLIENT_ID, scope: APP_SCOPE, apiUrl });
  const client = { id: API_CLIENT_ID, secret: apiSecret };
  const api = createOrdersApi({ issuer, audience: apiUrl, client, appOrigin: appUrl });
  const close = async (): Promise<void> => {
    await Promise.all([stop(app), stop(api)]);
  };
  try {
    await listenOn(app, { host: listen.host, port: ports.appPort, what: "app", setting: "DEMO_APP_PORT" });
    await listenOn(api, { host: listen.host, port: ports.apiPort, what: "API", setting: "DEMO_API_PORT" });
  } catch (error) {
    await close();
    throw error;
  }
  return { appUrl, apiUrl, close };
}

interface Place {
  readonly host: string;
  readonly port: number;
  readonly what: string;
  readonly setting: string;
}

async function listenOn(server: Server, { host, port, what, setting }: Place): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => {
      reject(error.code === "EADDRINUSE" ? new DemoPortInUseError(what, port, setting) : error);
    });
    server.listen(port, host, resolve);
  });
}

async function stop(server: Server): Promise<void> {
  // Also one that never listened: the API ends what it keeps open to Latchkey.
  const hasClosed = new Promise((resolve) => server.close(resolve));
  server.closeAllConnections();
  await hasClosed;
}
