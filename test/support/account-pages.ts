import type { StoredAuditEvent } from "../../src/audit/index.ts";
import { askApp, type TestRequest } from "../../src/http/test-server.ts";
import { createTestToolkit } from "../../src/http/test-toolkit.ts";
import type { AllowedClient, BrowserSession, RequestingClient } from "../../src/oidc/index.ts";
import type { SessionSummary } from "../../src/sessions/index.ts";
import type { Account } from "../../src/accounts/index.ts";
import type { SelfServiceDependencies } from "../../src/self-service/ports.ts";
import { createSelfServiceRoutes } from "../../src/self-service/self-service-routes.ts";
import { noFactors } from "./factors.ts";
import { withMail } from "./without-mail.ts";

export const NOW_MS = Date.UTC(2026, 10, 23, 12);
const NOW_SECONDS = NOW_MS / 1000;
const MINUTE_MS = 60_000;
export const DAY_MS = 24 * 60 * MINUTE_MS;

export const alice: Account = {
  id: "alice-id",
  name: "Alice Adams",
  email: "alice@example.com",
  emailVerified: false,
  locale: undefined,
  createdAt: new Date(0),
  passwordChangedAt: new Date(0),
  proofsSince: undefined,
  updatedAt: new Date(0),
  disabledAt: undefined,
};

export const SESSION: BrowserSession = {
  accountId: alice.id,
  sessionId: "session-1",
  authenticatedAt: NOW_SECONDS - 60,
  acr: "urn:latchkey:acr:pwd",
  amr: ["pwd"],
  isEnough: true,
};

export const thisDevice: SessionSummary = {
  id: SESSION.sessionId,
  createdAt: new Date(NOW_MS - 60 * MINUTE_MS),
  lastUsedAt: new Date(NOW_MS - MINUTE_MS),
  address: "192.0.2.14",
  device: "Firefox on Linux",
  acr: SESSION.acr,
  amr: ["pwd"],
  begunBy: undefined,
  clientIds: ["latchkey-account"],
  clientUses: [{ clientId: "shopWeb", lastUsedAt: new Date(NOW_MS - 3_600_000) }],
  audiences: [],
};

export const otherDevice: SessionSummary = {
  ...thisDevice,
  id: "session-2",
  createdAt: new Date(NOW_MS - 11 * DAY_MS),
  lastUsedAt: new Date(NOW_MS - DAY_MS),
  address: "198.51.100.7",
  device: "Safari on iPhone",
  amr: ["pwd", "otp", "mfa"],
  clientIds: ["shopWeb", "notesWeb"],
};

const shop: RequestingClient = {
  id: "shopWeb",
  name: "Shop",
  host: "shop.example.com",
  homeUri: undefined,
  logoUri: undefined,
  policyUri: undefined,
  termsUri: undefined,
  isOurs: false,
  isFirstParty: false,
};
const CLIENTS = new Map(
  [shop, { ...shop, id: "notesWeb", name: "Notes", isFirstParty: true }].map((one) => [one.id, one]),
);

export const allowedShop: AllowedClient = {
  client: shop,
  access: {
    identityScopes: ["email", "offline_access"],
    resources: [
      {
        identifier: "https://orders.example.com",
        name: "Orders",
        scopes: [{ name: "orders:read", description: "See your orders" }],
      },
    ],
  },
  allowedAt: new Date(Date.UTC(2026, 4, 12)),
};

/** What a test wants to be different. */
export interface TestScene {
  readonly session?: BrowserSession | undefined;
  readonly account?: Account | undefined;
  readonly devices?: readonly SessionSummary[];
  readonly allowed?: readonly AllowedClient[];
  readonly events?: readonly StoredAuditEvent[];
  readonly settings?: Partial<SelfServiceDependencies>;
  readonly accounts?: Partial<SelfServiceDependencies["accounts"]>;
}

/** Asks the pages as a browser would; `calls` is what was asked of the rest of the server. */
export async function ask(scene: TestScene, { headers, ...sent }: TestRequest) {
  const { around, ...toolkit } = createTestToolkit();
  const calls: (readonly unknown[])[] = [];
  const noting =
    <Result>(name: string, result: Result) =>
    async (...given: readonly unknown[]): Promise<Result> => {
      calls.push([name, ...given]);
      return result;
    };
  const { session, account, devices, allowed, events } = {
    session: SESSION,
    account: alice,
    devices: [thisDevice, otherDevice],
    allowed: [allowedShop],
    events: [],
    ...scene,
  };
  const ended = { endedIds: [], isComplete: true };
  const routes = createSelfServiceRoutes({
    ...toolkit,
    browserTokenOf: () => undefined,
    noteBrowser: async () => undefined,
    browserSessions: {
      find: async () => session,
      end: noting("end session", undefined),
      signInUrl: (page, returnTo = "") => `/auth?page=${page}&to=${returnTo}`,
      addProof: noting("addProof", undefined),
      reauthenticationUrl: ({ returnTo, maxAgeSeconds, acr }) =>
        `/again?to=${returnTo}&age=${maxAgeSeconds}&acr=${acr}`,
    },
    sessions: {
      list: async () => devices,
      end: noting("end", ended),
      endOthers: noting("endOthers", ended),
      withdrawConsent: noting("withdrawConsent", ended),
    },
    accounts: {
      find: async (id) => (id === account?.id ? account : undefined),
      changeProfile: noting("changeProfile", alice),
      changePassword: noting("changePassword", { outcome: "changed" } as const),
      remove: noting("remove", undefined),
      byMail: withMail,
      ...scene.accounts,
    },
    allowedClients: {
      list: async () => allowed,
      describe: async (ids) => new Map([...CLIENTS].filter(([id]) => [...ids].includes(id))),
    },
    audit: { list: async (filter) => (calls.push(["list events", filter]), events) },
    factors: noFactors,
    factorPolicy: "optional",
    clock: { nowMs: () => NOW_MS },
    clientAddress: () => "198.51.100.1",
    registration: "open",
    mode: "production",
    demoUrl: undefined,
    hasMailbox: false,
    ...scene.settings,
  });
  const answer = await askApp([...around, routes], { ...sent, headers: { accept: "text/html", ...headers } });
  return { ...answer, calls };
}

export const csrf = createTestToolkit().csrf.token(SESSION.sessionId);

export const get = (path: string, scene: TestScene = {}) => ask(scene, { path });

/** Posts fields with the page's token. */
export function post(path: string, fields: Readonly<Record<string, string>>, scene: TestScene = {}) {
  const body = new URLSearchParams({ csrf, ...fields }).toString();
  return ask(scene, { method: "POST", path, body });
}
