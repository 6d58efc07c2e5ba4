import type { Interaction } from "oidc-provider";
import type { Clients } from "../clients/index.ts";
import type { ConsentedScopes } from "./consents.ts";
import { ACR_PASSWORD, proofsOf } from "../mfa/index.ts";
import type { RequiredAssurance } from "./asked-assurance.ts";
import type { PendingInteraction, RequestedAccess, RequestingClient, SignInProgress } from "./interactions-port.ts";
import type { RestartTokens } from "./restarts.ts";

const PAGES = {
  login: "sign-in",
  create: "create-account",
  step_up: "step-up",
  consent: "consent",
} as const;

/** Member of an interaction's result that holds a chain of proofs on its way. */
export const PROGRESS_MEMBER = "progress";

export interface DescriptionDeps {
  readonly clients: Pick<Clients, "findResourceServer">;
  readonly restartTokens: RestartTokens;
  readonly describeClient: (clientId: string | undefined) => Promise<RequestingClient | undefined>;
}

/** What the pages are told of a request that waits; `undefined` when it is none of theirs. */
export async function describeInteraction(
  deps: DescriptionDeps,
  interaction: Interaction,
): Promise<PendingInteraction | undefined> {
  const { params, prompt, session } = interaction;
  const client = await deps.describeClient(textOf(params["client_id"]));
  const page = PAGES[prompt.name as keyof typeof PAGES];
  if (client === undefined || page === undefined) return undefined;
  const restartToken = deps.restartTokens.issue(interaction);
  return {
    uid: interaction.uid,
    page,
    client,
    accountId: session?.accountId,
    isReauthentication: page === "sign-in" && session?.accountId !== undefined,
    required: requiredOf(interaction),
    progress: progressOf(interaction),
    answeredUrl: interaction.result?.login === undefined ? undefined : `${interaction.returnTo}?r=${restartToken}`,
    loginHint: textOf(params["login_hint"]),
    uiLocales: textOf(params["ui_locales"])?.split(" ") ?? [],
    access: await describeAccess(deps.clients, askedScopes(interaction)),
    redirectUri: textOf(params["redirect_uri"]),
    restartToken,
  };
}

/** As it was when the request began to wait. The consent page comes when all is proved. */
function requiredOf({ prompt }: Interaction): RequiredAssurance {
  const { assurance } = prompt.details as { assurance?: RequiredAssurance };
  return assurance ?? { acr: ACR_PASSWORD, isAsked: false, policy: "optional" };
}

/** The library keeps an interaction's result as it was given, and takes nothing from this member of it. */
function progressOf({ prompt, result, session }: Interaction): SignInProgress | undefined {
  const noted = result?.[PROGRESS_MEMBER] as SignInProgress | undefined;
  if (noted !== undefined || prompt.name !== "step_up" || session === undefined) return noted;
  return {
    accountId: session.accountId,
    proofs: proofsOf(session.amr ?? []),
    provedAtMs: authenticatedAtOf(prompt) * 1000,
    isOfSession: true,
  };
}

function authenticatedAtOf({ details }: Interaction["prompt"]): number {
  const { authenticatedAt } = details as { authenticatedAt?: number };
  return authenticatedAt ?? 0;
}

/**
 * What the consent page asks for, and what the person allows with it: what is missing from the grant so far, or all of
 * it when the client asks for consent once more. It is what the page was made of, whatever became of the grant since.
 */
export function askedScopes(interaction: Interaction): ConsentedScopes {
  const { missingOIDCScope, missingResourceScopes, requested } = interaction.prompt.details as {
    missingOIDCScope?: string[];
    missingResourceScopes?: Record<string, string[]>;
    requested?: ConsentedScopes;
  };
  const isNothingNew = missingOIDCScope === undefined && missingResourceScopes === undefined;
  if (isNothingNew && requested !== undefined) return requested;
  return { identity: missingOIDCScope ?? [], resources: missingResourceScopes ?? {} };
}

/** Scopes as a page may show them. */
export async function describeAccess(
  clients: DescriptionDeps["clients"],
  scopes: ConsentedScopes,
): Promise<RequestedAccess> {
  const resources = await Promise.all(
    Object.entries(scopes.resources).map(async ([identifier, names]) => {
      const server = await clients.findResourceServer(identifier);
      const described = names.map((name) => ({
        name,
        description: server?.scopes.find((scope) => scope.name === name)?.description ?? name,
      }));
      return { identifier, name: server?.name ?? identifier, scopes: described };
    }),
  );
  return { identityScopes: scopes.identity.filter((scope) => scope !== "openid"), resources };
}

function textOf(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}
