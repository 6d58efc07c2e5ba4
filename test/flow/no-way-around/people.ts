import { fromAnywhere } from "../../support/addresses.ts";
import { AuthenticatorApp } from "../../support/authenticator-app.ts";
import type { Browser } from "../../support/browser.ts";
import type { Person } from "../../support/cast.ts";
import { createSoftwareAuthenticator, type SoftwareAuthenticator } from "../../support/software-authenticator.ts";
import type { World } from "../../support/world.ts";
import { enrollPerson, registerPerson } from "../mfa/people.ts";
import type { Whose } from "./table.ts";

const SOURCE = { address: "198.51.100.9" };

export interface Walker extends Person {
  readonly app: AuthenticatorApp;
  readonly key: SoftwareAuthenticator;
  readonly recoveryCodes: readonly string[];
  codesUsed: number;
}

/** Who goes, and where. */
export interface Party {
  readonly world: World;
  readonly person: Walker;
}

let count = 0;

/** Somebody whom no other path knows, with what the table says that they have. */
export async function addWalker(world: World, whose: Whose): Promise<Walker> {
  const key = createSoftwareAuthenticator({ origin: world.latchkey.issuer });
  const nothing = { app: new AuthenticatorApp(""), key, recoveryCodes: [], codesUsed: 0 };
  count += 1;
  const stranger = { email: `new-${count}@example.com`, name: "Nora North", password: "maple-thunder-cabin-31" };
  if (whose === "new") return { ...stranger, ...nothing };
  if (whose === "none") return { ...(await registerPerson(world)), ...nothing };
  if (whose === "app") return { ...nothing, ...(await enrollPerson(world)) };
  const person = await registerPerson(world);
  return { ...nothing, ...person, recoveryCodes: await addKey(world, person, key) };
}

/** From an address of its own: sign-ins are throttled by address. */
export function openBrowser(world: World): Browser {
  return world.openBrowser(fromAnywhere());
}

/** Without pages. */
async function addKey(
  { latchkey }: World,
  person: Person & { readonly id: string },
  key: SoftwareAuthenticator,
): Promise<readonly string[]> {
  const { passkeys, recoveryCodes } = latchkey.factors;
  const response = key.create(await passkeys.creationOptions(person, "sign-in"));
  await passkeys.register(person.id, { binding: "sign-in", response, name: "Key", source: SOURCE });
  const codes = (await recoveryCodes.reveal(person.id)) ?? [];
  await recoveryCodes.confirmSaved(person.id);
  return codes;
}
