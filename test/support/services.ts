import type { ClientSettings } from "../../src/clients/index.ts";
import { ledgerApi } from "./apps.ts";
import { ordersApi } from "./cast.ts";
import { startNode, type TestLatchkey } from "./latchkey.ts";
import { askNode, type RawAnswer } from "./raw-http.ts";
import { freePort } from "./servers.ts";

/** The orders API itself, as a client: it asks about tokens that it was shown, and reads the feed of revocations. */
export const ordersService = {
  id: "ordersService",
  name: "Orders itself",
  authMethod: "client_secret_basic",
  grantTypes: ["client_credentials"],
  introspects: [ordersApi.identifier],
} as const satisfies ClientSettings;

/** The same of another API. */
export const ledgerService = {
  ...ordersService,
  id: "ledgerService",
  name: "Ledger itself",
  introspects: [ledgerApi.identifier],
} as const satisfies ClientSettings;

/** Who calls: a confidential client with its secret, or a public one with its id alone. */
export interface Caller {
  readonly id: string;
  readonly secret?: string | undefined;
}

export async function addService({ clients }: TestLatchkey, settings: ClientSettings): Promise<Caller> {
  const { secret } = await clients.addClient(settings);
  return { id: settings.id, secret };
}

/** A second node on the stores of the first. */
export async function startSecondNode(first: TestLatchkey): Promise<TestLatchkey> {
  return startNode({ settings: { ...first.settings, PORT: String(await freePort()) } });
}

export interface Answer extends Omit<RawAnswer, "body"> {
  /** Parsed, if it is JSON. */
  readonly body: unknown;
}

export interface PostedForm {
  readonly caller: Caller;
  readonly parameters: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Posts a form to one node, which takes it for a request to the issuer. */
export async function post(node: TestLatchkey, path: string, form: PostedForm): Promise<Answer> {
  const { caller, parameters, headers = {} } = form;
  const basic = Buffer.from(`${caller.id}:${caller.secret ?? ""}`).toString("base64");
  const answer = await askNode(`http://127.0.0.1:${node.settings.PORT}${path}`, {
    method: "POST",
    headers: {
      host: new URL(node.issuer).host,
      "content-type": "application/x-www-form-urlencoded",
      ...(caller.secret === undefined ? {} : { authorization: `Basic ${basic}` }),
      ...headers,
    },
    body: new URLSearchParams({
      ...parameters,
      ...(caller.secret === undefined ? { client_id: caller.id } : {}),
    }).toString(),
  });
  const isJson = answer.headers.get("content-type")?.includes("json") === true;
  return { ...answer, body: isJson ? (JSON.parse(answer.body) as unknown) : answer.body };
}
