import { type CryptoKey, exportJWK, generateKeyPair } from "jose";
import * as oauth from "oauth4webapi";
import {
  bankWeb,
  CLIENTS,
  deskBasic,
  deskKey,
  deskPost,
  mailWeb,
  notesWeb,
  RESOURCE_SERVERS,
  walletWeb,
} from "./apps.ts";
import { Browser } from "./browser.ts";
import { alice, billingApi, bob, mallory, shopWeb } from "./cast.ts";
import { type LatchkeyOptions, populate, startLatchkey, type TestLatchkey } from "./latchkey.ts";
import { discover, RelyingParty, type RelyingPartyOptions } from "./relying-party.ts";

const APP_ORIGINS = ["shop", "notes", "mail", "desk", "bank", "wallet"].map((name) => `https://${name}.example.com`);

/** A server with the whole cast: alice, bob and mallory, every app and every API. */
export interface World {
  readonly latchkey: TestLatchkey;
  readonly server: oauth.AuthorizationServer;
  readonly secrets: ReadonlyMap<string, string>;
  /** The private key of `deskKey`, registered with key id `desk`. */
  readonly deskPrivateKey: CryptoKey;
  readonly apps: Readonly<Record<AppName, RelyingParty>>;
  /** Another app, or one of these with something changed. */
  appOf(options: Omit<RelyingPartyOptions, "server">): RelyingParty;
  /** A person's browser without a past. Redirects to the apps end there. */
  openBrowser(headers?: Readonly<Record<string, string>>): Browser;
  /** The account's id by e-mail address. */
  accountIdOf(email: string): Promise<string>;
  close(): Promise<void>;
}

type AppName = "shopWeb" | "notesWeb" | "mailWeb" | "deskBasic" | "deskPost" | "deskKey" | "bankWeb" | "billingApi";

export async function createWorld(options: LatchkeyOptions): Promise<World> {
  const latchkey = await startLatchkey(options);
  const { publicKey, privateKey } = await generateKeyPair("ES256", { extractable: true });
  const jwk = { ...(await exportJWK(publicKey)), kty: "EC", kid: "desk" };
  const secrets = await populate(latchkey, {
    people: [alice, bob, mallory],
    resourceServers: RESOURCE_SERVERS,
    clients: [...CLIENTS, { ...deskKey, jwks: { keys: [jwk] } }],
  });
  const server = await discover(latchkey.issuer);
  const secretOf = (id: string): string => secrets.get(id) ?? "";
  const appOf = (app: Omit<RelyingPartyOptions, "server">): RelyingParty => new RelyingParty({ server, ...app });
  const publicApp = (client: { readonly id: string; readonly redirectUris: readonly string[] }): RelyingParty =>
    appOf({ clientId: client.id, redirectUri: client.redirectUris[0] ?? "" });
  const authenticatedApp = (id: string, redirectUri: string, authentication: oauth.ClientAuth): RelyingParty =>
    appOf({ clientId: id, redirectUri, authentication });

  return {
    latchkey,
    server,
    secrets,
    deskPrivateKey: privateKey,
    appOf,
    apps: {
      shopWeb: publicApp(shopWeb),
      notesWeb: publicApp(notesWeb),
      mailWeb: publicApp(mailWeb),
      bankWeb: publicApp(bankWeb),
      deskBasic: authenticatedApp(
        deskBasic.id,
        deskBasic.redirectUris[0],
        oauth.ClientSecretBasic(secretOf(deskBasic.id)),
      ),
      deskPost: authenticatedApp(deskPost.id, deskPost.redirectUris[0], oauth.ClientSecretPost(secretOf(deskPost.id))),
      deskKey: authenticatedApp(
        deskKey.id,
        deskKey.redirectUris[0],
        oauth.PrivateKeyJwt({ key: privateKey, kid: "desk" }),
      ),
      billingApi: authenticatedApp(billingApi.id, "", oauth.ClientSecretBasic(secretOf(billingApi.id))),
    },
    openBrowser: (headers = {}) => new Browser({ appOrigins: APP_ORIGINS, headers }),
    async accountIdOf(email) {
      const account = await latchkey.accounts.findByEmail(email);
      if (account === undefined) throw new Error("nobody has this address");
      return account.id;
    },
    close: () => latchkey.close(),
  };
}

/** The wallet, with a key of its own for its proofs (RFC 9449). */
export async function openWallet(world: Pick<World, "appOf">) {
  const keys = await oauth.generateKeyPair("ES256");
  const clientId = walletWeb.id;
  const dpop = oauth.DPoP({}, keys);
  return { keys, app: world.appOf({ clientId, redirectUri: walletWeb.redirectUris[0], dpop }) };
}
