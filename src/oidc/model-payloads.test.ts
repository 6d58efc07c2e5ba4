import { type AdapterPayload, Provider } from "oidc-provider";
import { expect, test } from "vitest";
import { useDirectPayloads } from "./model-payloads.ts";

const NOW_SECONDS = Math.floor(Date.UTC(2026, 0, 2, 3, 4, 5) / 1000);
const times = { iat: NOW_SECONDS, exp: NOW_SECONDS + 60 };

const newProvider = (): Provider =>
  new Provider("https://id.example.com", { features: { devInteractions: { enabled: false } } });

/** Every member that such a model may hold, with a value. */
function fullPayload(name: "AuthorizationCode" | "Grant" | "RefreshToken" | "Session"): AdapterPayload {
  const members = Reflect.get(newProvider()[name], "IN_PAYLOAD") as readonly string[];
  return {
    ...Object.fromEntries(members.map((member) => [member, `the ${member}`])),
    ...times,
    kind: name,
    jti: "one",
  };
}

test.each(["AuthorizationCode", "Grant", "RefreshToken", "Session"] as const)(
  "a %s is read and written as the library does it, to the last member",
  async (name) => {
    const [own, librarys] = [newProvider(), newProvider()];
    useDirectPayloads(own, () => NOW_SECONDS);
    const stored = { ...fullPayload(name), unknown: "is left out", __proto__: { scope: "of nobody" } };
    const written = async (provider: Provider): Promise<unknown> => {
      const model: object = Reflect.get(provider[name], "instantiate").call(provider[name], stored);
      const { value, payload } = await Reflect.get(model, "getValueAndPayload").call(model);
      return { value, payload, members: { ...model } };
    };
    expect(await written(own)).toEqual(await written(librarys));
    expect(await written(own)).toMatchObject({ value: "one", payload: fullPayload(name) });
  },
);

test("what is of another kind is no session", () => {
  const provider = newProvider();
  useDirectPayloads(provider, () => NOW_SECONDS);
  const instantiate = (): unknown =>
    Reflect.get(provider.Session, "instantiate").call(provider.Session, { kind: "Grant" });
  expect(instantiate).toThrow("kind mismatch");
});

test("a new token is dated by our clock, and ends after its lifetime", async () => {
  const provider = newProvider();
  useDirectPayloads(provider, () => NOW_SECONDS);
  const grant = new provider.Grant({ accountId: "alice", clientId: "shopWeb" });
  Reflect.set(grant, "expiresIn", 60);
  expect(await Reflect.get(grant, "getValueAndPayload").call(grant)).toMatchObject({ payload: times });
});
