import { type Configuration, interactionPolicy, type KoaContextWithOIDC } from "oidc-provider";
import type { FactorPolicy } from "../../config/index.ts";
import { ACR_PASSWORD } from "../../mfa/index.ts";
import { policyFor, type RequiredAssurance, requiredAssurance } from "../asked-assurance.ts";
import { requestedScopes } from "../grants.ts";
import { ACCOUNT_CLIENT_ID } from "../identity.ts";
import type { IsEnough } from "../sufficient-sessions.ts";

const { base, Check, Prompt } = interactionPolicy;

type Policy = ReturnType<typeof base>;
type Prompt = InstanceType<typeof Prompt>;

/**
 * When the person is needed: to create an account (asked for by `prompt=create`), to sign in, to prove more than they
 * did, to consent.
 *
 * All factors belong to the one `login` prompt, so that no session exists on half a chain of them. `step_up` is for who
 * is signed in, by less than this request needs.
 *
 * @param deployment the policy of clients that have none of their own.
 */
export function createInteractionPolicy(
  deployment: FactorPolicy,
  isEnough: IsEnough,
): NonNullable<NonNullable<Configuration["interactions"]>["policy"]> {
  const required = (ctx: KoaContextWithOIDC): RequiredAssurance =>
    // What nobody knows was refused before: see `refuseUnknownAcrs`.
    requiredAssurance(ctx.oidc.params ?? {}, policyFor(ctx.oidc.client, deployment)) ?? ASKS_NOTHING;
  const policy = base();
  const login = promptOf(policy, "login");
  // These know no order of classes, and ask for the whole sign-in again.
  login.checks.remove("essential_acr");
  login.checks.remove("essential_acrs");
  measureStepUps(login);
  // What a request asks for claim by claim is told by its scopes, if at all.
  promptOf(policy, "consent").checks.remove("op_claims_missing");
  const create = createAccountPrompt();
  policy.add(create, 0);
  const stepUp = createStepUpPrompt(required, isEnough);
  policy.add(stepUp, policy.indexOf(login) + 1);
  for (const prompt of [create, login, stepUp]) tellWhatIsRequired(prompt, required);
  neverAskAboutOurselves(policy);
  noteWhatIsAskedFor(policy);
  return policy;
}

const ASKS_NOTHING: RequiredAssurance = { acr: ACR_PASSWORD, isAsked: false, policy: "optional" };

/** Initiating User Registration via OpenID Connect 1.0, section 3. */
function createAccountPrompt(): Prompt {
  const wantsAccount = new Check(
    "create_prompt",
    "the client asked for a new account to be created",
    "interaction_required",
    (ctx) => ctx.oidc.promptPending("create"),
  );
  return new Prompt({ name: "create", requestable: true }, wantsAccount);
}

/** Without a page (`prompt=none`) an app learns what it has to do: ask for more, or for a sign-in. */
function createStepUpPrompt(required: (ctx: KoaContextWithOIDC) => RequiredAssurance, isEnough: IsEnough): Prompt {
  const fallsShort = async (ctx: KoaContextWithOIDC): Promise<boolean> => {
    const { accountId, acr } = ctx.oidc.session ?? {};
    return accountId !== undefined && !(await isEnough(ctx, { accountId, acr }, required(ctx)));
  };
  return new Prompt(
    { name: "step_up" },
    new Check(
      "acr_not_reached",
      "the sign-in was weaker than what is asked for",
      "unmet_authentication_requirements",
      async (ctx) => required(ctx).isAsked && fallsShort(ctx),
    ),
    new Check(
      "second_factor_missing",
      "the sign-in had no second factor, and this client needs one",
      "login_required",
      async (ctx) => !required(ctx).isAsked && fallsShort(ctx),
    ),
  );
}

/** For the pages, which know neither the client's metadata nor the parameters. */
function tellWhatIsRequired(prompt: Prompt, required: (ctx: KoaContextWithOIDC) => RequiredAssurance): void {
  const { details } = prompt;
  prompt.details = async (ctx) => ({
    ...(await details(ctx)),
    assurance: required(ctx),
    authenticatedAt: ctx.oidc.session?.loginTs,
  });
}

/** A step-up is no sign-in: its page may wait for longer than `max_age`, and what it rests on grows older meanwhile. */
function measureStepUps(login: Prompt): void {
  const maxAge = login.checks.get("max_age");
  if (maxAge === undefined) throw new Error("the library has no check of max_age");
  const { check } = maxAge;
  maxAge.check = async (ctx) => (await check(ctx)) || (isSteppedUp(ctx) && isTooOld(ctx));
}

/** The answer of a page names the time of the sign-in: it is that from before the page, or it was all proved anew. */
function isSteppedUp({ oidc }: KoaContextWithOIDC): boolean {
  const { authenticatedAt } = (oidc.entities.Interaction?.prompt.details ?? {}) as { authenticatedAt?: number };
  const answer = oidc.result?.login;
  return answer !== undefined && answer.ts === authenticatedAt;
}

function isTooOld({ oidc: { params, session } }: KoaContextWithOIDC): boolean {
  const maxAge = params?.["max_age"];
  return maxAge !== undefined && session?.past(Number(maxAge)) === true;
}

/** The account page is ours: there is nobody to allow anything to, also when somebody adds `prompt=consent`. */
function neverAskAboutOurselves(policy: Policy): void {
  const asked = promptOf(policy, "consent").checks.get("consent_prompt");
  if (asked === undefined) throw new Error("the library has no consent prompt");
  const { check } = asked;
  asked.check = (ctx) => ctx.oidc.client?.clientId !== ACCOUNT_CLIENT_ID && check(ctx);
}

/** A page may wait while the grant ends that it was to add to. Then this is all that it can go by. */
function noteWhatIsAskedFor(policy: Policy): void {
  promptOf(policy, "consent").details = (ctx) => ({ requested: requestedScopes(ctx) });
}

function promptOf(policy: Policy, name: string): Prompt {
  const prompt = policy.get(name);
  if (prompt === undefined) throw new Error(`the library has no prompt ${name}`);
  return prompt;
}
