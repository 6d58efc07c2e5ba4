import { type Configuration, interactionPolicy } from "oidc-provider";
import { requestedScopes } from "../grants.ts";
import { ACCOUNT_CLIENT_ID } from "../identity.ts";

const { base, Check, Prompt } = interactionPolicy;

/**
 * When the person is needed: to create an account (asked for by `prompt=create`), to sign in, to consent.
 *
 * All factors will belong to the one `login` prompt, so that no session exists on half a chain of them.
 */
export function createInteractionPolicy(): NonNullable<NonNullable<Configuration["interactions"]>["policy"]> {
  const policy = base();
  const wantsAccount = new Check(
    "create_prompt",
    "the client asked for a new account to be created",
    "interaction_required",
    (ctx) => ctx.oidc.promptPending("create"),
  );
  // Initiating User Registration via OpenID Connect 1.0, section 3.
  policy.add(new Prompt({ name: "create", requestable: true }, wantsAccount), 0);
  neverAskAboutOurselves(policy);
  noteWhatIsAskedFor(policy);
  return policy;
}

/** The account page is ours: there is nobody to allow anything to, also when somebody adds `prompt=consent`. */
function neverAskAboutOurselves(policy: ReturnType<typeof base>): void {
  const asked = policy.get("consent")?.checks.get("consent_prompt");
  if (asked === undefined) throw new Error("the library has no consent prompt");
  const { check } = asked;
  asked.check = (ctx) => ctx.oidc.client?.clientId !== ACCOUNT_CLIENT_ID && check(ctx);
}

/** A page may wait while the grant ends that it was to add to. Then this is all that it can go by. */
function noteWhatIsAskedFor(policy: ReturnType<typeof base>): void {
  const consent = policy.get("consent");
  if (consent === undefined) throw new Error("the library has no consent prompt");
  consent.details = (ctx) => ({ requested: requestedScopes(ctx) });
}
