import type { FactorPolicy } from "../../../src/config/index.ts";
import { ordersApi } from "../../support/cast.ts";
import type { Stores } from "../../support/latchkey.ts";
import type { RelyingParty } from "../../support/relying-party.ts";
import { createWorld, type World } from "../../support/world.ts";
import { addPolicyApps } from "../mfa/policies.ts";

/** Where a policy holds. */
export interface Place {
  readonly policy: FactorPolicy;
  readonly world: World;
  /** Under the policy, first-party and not. */
  readonly app: RelyingParty;
  readonly stranger: RelyingParty;
  /** `off`, and `optional`, whatever the place's policy. */
  readonly lenient: RelyingParty;
  readonly trusting: RelyingParty;
  /** An app that is `off` until it is settled. */
  addUnsettled(): Promise<{ readonly app: RelyingParty; readonly settle: () => Promise<void> }>;
}

export interface Places {
  readonly places: Readonly<Record<FactorPolicy, Place>>;
  close(): Promise<void>;
}

/** Whose policy it is. A deployment has the policy itself; a client has its own, in a deployment that has another. */
export type Owner = "deployment" | "client";

const DEPLOYMENT_OF = {
  deployment: { off: "off", optional: "optional", required: "required" },
  client: { off: "required", optional: "off", required: "off" },
} as const satisfies Record<Owner, Record<FactorPolicy, FactorPolicy>>;

/** One place for each policy. */
export async function openPlaces(stores: Stores, owner: Owner): Promise<Places> {
  const worlds = new Map<FactorPolicy, Promise<{ world: World; apps: Readonly<Record<FactorPolicy, RelyingParty>> }>>();
  const openDeployment = async (MFA_POLICY: FactorPolicy) => {
    const settings = { MFA_POLICY, MFA_TRUSTED_BROWSER_DAYS: "30", TRUSTED_PROXIES: "1" };
    const world = await createWorld({ stores, settings });
    return { world, apps: await addPolicyApps(world) };
  };
  const open = async (policy: FactorPolicy): Promise<Place> => {
    const deployment = DEPLOYMENT_OF[owner][policy];
    const opening = worlds.get(deployment) ?? openDeployment(deployment);
    worlds.set(deployment, opening);
    const { world, apps } = await opening;
    const mfa = owner === "client" ? policy : undefined;
    const settings = settingsOf(`${policy}Place`, mfa);
    return {
      policy,
      world,
      app: await addApp(world, settings),
      stranger: await addApp(world, { ...settings, id: `${policy}Stranger`, isFirstParty: false }),
      lenient: apps.off,
      trusting: apps.optional,
      addUnsettled: () => addUnsettled(world, mfa),
    };
  };
  const [off, optional, required] = await Promise.all([open("off"), open("optional"), open("required")]);
  return {
    places: { off, optional, required },
    close: async () => void (await Promise.all([...worlds.values()].map(async (one) => (await one).world.close()))),
  };
}

const REDIRECT_URI = "https://notes.example.com/place";

function settingsOf(id: string, mfa: FactorPolicy | undefined) {
  return {
    id,
    name: "Place",
    isFirstParty: true,
    redirectUris: [REDIRECT_URI],
    resources: [{ identifier: ordersApi.identifier, scopes: ["orders:read"] }],
    defaultResource: ordersApi.identifier,
    ...(mfa === undefined ? {} : { mfa }),
  };
}

async function addApp(world: World, settings: ReturnType<typeof settingsOf>): Promise<RelyingParty> {
  await world.latchkey.clients.addClient(settings);
  return world.appOf({ clientId: settings.id, redirectUri: REDIRECT_URI });
}

let count = 0;

async function addUnsettled(world: World, mfa: FactorPolicy | undefined) {
  count += 1;
  const id = `unsettled${count}Web`;
  const app = await addApp(world, settingsOf(id, "off"));
  const settle = async (): Promise<void> => {
    const options = { secretFiles: new Map<string, string>(), mode: "apply" } as const;
    await world.latchkey.clients.applyDocument({ clients: [settingsOf(id, mfa)] }, options);
  };
  return { app, settle };
}
