import type { FactorServices } from "../dependencies.ts";
import type { Passkeys } from "../factors.ts";
import { createChallenges } from "./challenges.ts";
import { createPasskeyRegistration } from "./registration.ts";
import { createPasskeyVerification } from "./verification.ts";

export function createPasskeys(services: FactorServices): Passkeys {
  const { hostname, origin } = new URL(services.issuer);
  const deps = {
    services,
    challenges: createChallenges(services),
    party: { id: hostname, name: services.brandName, origin },
  };
  return { ...createPasskeyRegistration(deps), ...createPasskeyVerification(deps) };
}
