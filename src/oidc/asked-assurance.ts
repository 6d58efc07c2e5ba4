import { z } from "zod";
import { type Client, errors, type KoaContextWithOIDC, type Provider } from "oidc-provider";
import type { FactorPolicy } from "../config/index.ts";
import { ACR_PASSWORD, type Acr, neededAssurance, reportedAcr, weakestOf } from "../mfa/index.ts";

/** Parameters of an authorization request, as far as they matter here; untrusted. */
type Parameters = Readonly<Record<string, unknown>>;

const acrRequest = z.object({ value: z.string().optional(), values: z.array(z.string()).optional() }).nullish();
const claimsParameter = z.object({ id_token: z.object({ acr: acrRequest }).nullish() });

/** What nearly all requests ask for. */
const ASKS_FOR_NONE: readonly string[] = [];

/**
 * The classes of which an app asks for one, by `acr_values` or by the claim `acr` (OpenID Connect Core 1.0, sections
 * 3.1.2.1 and 5.5.1.1). Asked is asked, essential or not: no app gets less than it asked for without being told.
 */
export function askedAcrs(params: Parameters): readonly string[] {
  const { acr_values: acrValues, claims } = params;
  if (acrValues === undefined && claims === undefined) return ASKS_FOR_NONE;
  const byParameter = typeof acrValues === "string" ? acrValues.split(" ").filter((value) => value !== "") : [];
  const { value, values = [] } = (typeof claims === "string" && readAcrRequest(claims)) || {};
  return [...new Set([...byParameter, ...(value === undefined ? [] : [value]), ...values])];
}

/** @throws InvalidRequest for what we do not understand: an app that asked for something would get less unawares. */
function readAcrRequest(claims: string): z.infer<typeof acrRequest> {
  const { success, data } = claimsParameter.safeParse(parseJson(claims));
  if (!success) throw new errors.InvalidRequest("the claim acr is asked for in a form that is none");
  return data.id_token?.acr;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** What a sign-in for this request has to come to, and why. */
export interface RequiredAssurance {
  readonly acr: Acr;
  /** The app asked for it in this request, and is told if it cannot be had. */
  readonly isAsked: boolean;
  readonly policy: FactorPolicy;
}

/** `undefined` when the app asks for classes of which we know none. */
export function requiredAssurance(params: Parameters, policy: FactorPolicy): RequiredAssurance | undefined {
  const asked = askedAcrs(params);
  const weakest = asked.length === 0 ? ACR_PASSWORD : weakestOf(asked);
  if (weakest === undefined) return undefined;
  return { acr: neededAssurance(policy, weakest), isAsked: weakest !== ACR_PASSWORD, policy };
}

/** What a policy asks for by itself. */
export function requiredByPolicy(policy: FactorPolicy): RequiredAssurance {
  return { acr: neededAssurance(policy, ACR_PASSWORD), isAsked: false, policy };
}

/** A client's own policy goes before that of the deployment. */
export function policyFor(client: Client | undefined, deployment: FactorPolicy): FactorPolicy {
  const own = client?.["factor_policy"];
  return own === "off" || own === "optional" || own === "required" ? own : deployment;
}

/** @throws UnmetAuthenticationRequirements before anybody signs in in vain (RFC 9470, section 5). */
export function refuseUnknownAcrs({ oidc }: KoaContextWithOIDC): void {
  const asked = askedAcrs(oidc.params ?? {});
  if (asked.length === 0 || weakestOf(asked) !== undefined) return;
  throw new errors.UnmetAuthenticationRequirements(
    "none of the requested authentication context classes is known here",
  );
}

/** Tokens name a class that their client asked for, where there is one: see {@link reportedAcr}. */
export function useReportedAcr(provider: Provider): void {
  Object.defineProperty(provider.OIDCContext.prototype, "acr", {
    get(this: KoaContextWithOIDC["oidc"]) {
      return reportedAcr(this.session?.acr, askedAcrs(this.params ?? {}));
    },
  });
}
