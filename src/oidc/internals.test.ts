import { generateKeyPairSync } from "node:crypto";
import { decodeProtectedHeader } from "jose";
import { Provider } from "oidc-provider";
import { expect, test } from "vitest";
import { findGrantType, replaceKeys } from "./internals.ts";
import { TokenKey } from "./keys/token-key.ts";

const provider = new Provider("https://id.example.com", {
  features: {
    devInteractions: { enabled: false },
    resourceIndicators: { enabled: true },
    externalSigningSupport: { enabled: true, ack: "experimental-01" },
  },
  clientDefaults: { id_token_signed_response_alg: "ES256" },
  clients: [{ client_id: "shopWeb", client_secret: "s", redirect_uris: ["https://shop.example.com/callback"] }],
  scopes: ["openid", "offline_access"],
});

test("the library's own refresh is found, with the parameters that it takes", () => {
  const { handler, parameters, duplicates } = findGrantType(provider, "refresh_token");
  expect(handler).toBeInstanceOf(Function);
  expect([...parameters].toSorted()).toEqual(["grant_type", "refresh_token", "resource", "scope"]);
  expect([...duplicates]).toEqual(["resource"]);
});

test("a grant type that is not there is a mistake of ours", () => {
  expect(() => findGrantType(provider, "password")).toThrow("no grant type password");
});

function newKey(kid: string, use: "sign" | "verify"): TokenKey {
  const { publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const sign = async () => Buffer.from(kid);
  return new TokenKey({ kid, algorithm: "ES256", publicKey, sign: use === "sign" ? sign : undefined });
}

async function signer(): Promise<string | undefined> {
  const client = await provider.Client.find("shopWeb");
  if (client === undefined) throw new Error("there is no client");
  return decodeProtectedHeader(await new provider.IdToken({ sub: "alice" }, { client }).issue({ use: "logout" })).kid;
}

test("keys are replaced while the provider runs, and it signs with the one that is to sign, wherever it stands", async () => {
  for (const current of ["one", "two", "three"]) {
    const others = ["before", "after"].map((place) => newKey(`${place} ${current}`, "verify"));
    replaceKeys(
      provider,
      [others[0], newKey(current, "sign"), others[1]].filter((key) => key !== undefined),
    );
    expect(await signer()).toBe(current);
  }
});
