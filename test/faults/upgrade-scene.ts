import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import * as oauth from "oauth4webapi";
import { expect, vi } from "vitest";
import { createVerifier, type Verifier } from "../../src/verifier/index.ts";
import { startProcess } from "../install/latchkey-process.ts";
import { Browser } from "../support/browser.ts";
import { alice, billingApi, bob, ordersApi, type Person, shopWeb } from "../support/cast.ts";
import { newSecret } from "../support/latchkey.ts";
import { discover, RelyingParty, type Tokens } from "../support/relying-party.ts";
import { ordersService } from "../support/services.ts";
import { fetchAt } from "./chosen-node.ts";

export const PEOPLE = [alice, bob] as const;

type Settings = Readonly<Record<string, string>>;

/** Runs a command of the version in this folder, as its operator does; returns what it printed. */
export async function runCommand(
  { folder, settings }: { readonly folder: string; readonly settings: Settings },
  args: readonly string[],
  input = "",
): Promise<string> {
  const command = startProcess({ folder, settings, args: [...args, "--json"], input });
  expect(await command.exited, command.output()).toBe(0);
  return command.output();
}

/** The secrets of the clients that have one. */
export type Secrets = Readonly<Record<"billingApi" | "ordersService", string>>;

/** Brings a database into being as the version in this folder does, with people and clients. */
export async function settle(where: { readonly folder: string; readonly settings: Settings }): Promise<Secrets> {
  await runCommand(where, ["migrate"]);
  const secrets = { billingApi: newSecret(), ordersService: newSecret() };
  const fileOf = (id: keyof Secrets): string => join(where.folder, `secret-of-${id}`);
  for (const id of ["billingApi", "ordersService"] as const) await writeFile(fileOf(id), secrets[id]);
  const file = join(where.folder, "clients.yaml");
  const clients = [
    { ...shopWeb, isFirstParty: true },
    { ...billingApi, secretFile: fileOf("billingApi") },
    { ...ordersService, secretFile: fileOf("ordersService") },
  ];
  // JSON is YAML.
  await writeFile(file, JSON.stringify({ resources: [ordersApi], clients }));
  const registering = PEOPLE.map(({ email, name, password }) =>
    runCommand(where, ["user", "add", email, "--name", name, "--password-stdin"], password),
  );
  await Promise.all([runCommand(where, ["apply", file]), ...registering]);
  return secrets;
}

/** A person with an app, and what that app holds. */
export interface SignedIn {
  readonly browser: Browser;
  readonly app: RelyingParty;
  tokens: Tokens;
}

/** Apps, services and people of one issuer. All that they ask goes to where `originOf` says, each on a connection of its own. */
export interface Scene {
  signIn(person: Person): Promise<SignedIn>;
  /** Without a page: the session alone answers. */
  signInSilently(signedIn: SignedIn): Promise<void>;
  /** The first half of that: the address with the code. */
  askForCode(signedIn: SignedIn): Promise<{ redeem(): Promise<Tokens> }>;
  refresh(signedIn: SignedIn): Promise<void>;
  requestOwnToken(): Promise<string>;
  /** @throws Error when it is not active. */
  introspect(accessToken: string): Promise<void>;
  /** By the signature, and by the feed of revocations. @throws VerifierError */
  verify(accessToken: string): Promise<void>;
  requestCount(): number;
  close(): Promise<void>;
}

export interface SceneOptions {
  readonly issuer: string;
  readonly secrets: Secrets;
  readonly originOf: () => string;
}

/** From here on `fetch` goes to the nodes when the issuer is asked for. */
export async function openScene({ issuer, secrets, originOf }: SceneOptions): Promise<Scene> {
  let requestCount = 0;
  const [toNodes, toElsewhere] = [fetchAt(originOf), fetch];
  const counting: typeof fetch = (input, init) => {
    const url = new URL(input instanceof Request ? input.url : input);
    if (url.origin !== issuer) return toElsewhere(input, init);
    requestCount += 1;
    return toNodes(input, init);
  };
  vi.stubGlobal("fetch", counting);
  const server = await discover(issuer);
  const [redirectUri] = shopWeb.redirectUris;
  const basic = (id: keyof Secrets): RelyingParty => {
    const authentication = oauth.ClientSecretBasic(secrets[id]);
    return new RelyingParty({ server, clientId: id, redirectUri: "", authentication });
  };
  const [billing, orders] = [basic("billingApi"), basic("ordersService")];
  const verifier = await startVerifier(issuer, secrets, counting);

  async function signIn(person: Person): Promise<SignedIn> {
    const browser = new Browser({ appOrigins: [new URL(redirectUri).origin], headers: newAddress() });
    const app = new RelyingParty({ server, clientId: shopWeb.id, redirectUri });
    return { browser, app, tokens: await app.signIn(browser, person, { scope: "openid orders:read" }) };
  }

  async function askForCode({ browser, app }: SignedIn) {
    const request = await app.begin({ prompt: "none", scope: "openid orders:read" });
    const { url } = await browser.open(request.url);
    return { redeem: () => app.complete(request, url) };
  }

  return {
    signIn,
    askForCode,
    async signInSilently(signedIn) {
      signedIn.tokens = await (await askForCode(signedIn)).redeem();
    },
    async refresh(signedIn) {
      signedIn.tokens = await signedIn.app.refresh(signedIn.tokens.refreshToken);
    },
    async requestOwnToken() {
      const response = await billing.requestClientCredentials({ scope: "orders:read" });
      const answer = await oauth.processClientCredentialsResponse(server, billing.client, response);
      return answer.access_token;
    },
    async introspect(accessToken) {
      const { active } = await orders.introspect(accessToken);
      if (!active) throw new Error("the token is not active");
    },
    verify: async (accessToken) => void (await verifier.verify(accessToken)),
    requestCount: () => requestCount,
    async close() {
      await verifier.close();
      vi.unstubAllGlobals();
    },
  };
}

/** Nobody asks for it while it is up to date or was so a moment ago. */
async function startVerifier(issuer: string, secrets: Secrets, ask: typeof fetch): Promise<Verifier> {
  const client = { id: ordersService.id, secret: secrets.ordersService };
  const feed = { revocations: "feed", onStale: "reject", staleAfterMs: 10_000 } as const;
  const verifier = createVerifier({ issuer, audience: ordersApi.identifier, client, ...feed, fetch: ask });
  await verifier.ready();
  return verifier;
}

/** From ever new places: so many sign-ins from one would be throttled. */
function newAddress(): Readonly<Record<string, string>> {
  const byte = (): number => Math.floor(Math.random() * 256);
  return { "x-forwarded-for": `10.${byte()}.${byte()}.${byte()}` };
}
