import { type AdapterPayload, Provider } from "oidc-provider";
import { expect, test, vi } from "vitest";
import { useDirectPayloads } from "./model-payloads.ts";

const NOW_SECONDS = Math.floor(Date.UTC(2026, 0, 2, 3, 4, 5) / 1000);
const times = { iat: NOW_SECONDS, exp: NOW_SECONDS + 60 };

type ModelName = "AccessToken" | "AuthorizationCode" | "ClientCredentials" | "Grant" | "RefreshToken" | "Session";

const newProvider = (): Provider =>
  new Provider("https://id.example.com", { features: { devInteractions: { enabled: false } } });

/** Every member that such a model may hold, with a value. */
function fullPayload(name: ModelName): AdapterPayload {
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

const shopWeb = { clientId: "shopWeb" };

test.each(["AccessToken", "AuthorizationCode", "ClientCredentials", "Grant", "RefreshToken"] as const)(
  "a new %s holds what the library puts into it",
  (name) => {
    const [own, librarys] = [newProvider(), newProvider()];
    useDirectPayloads(own, () => NOW_SECONDS);
    const { kind: _kind, jti: _jti, clientId: _clientId, ...members } = fullPayload(name);
    const create = (provider: Provider): object =>
      Reflect.construct(provider[name], [{ ...members, client: shopWeb, expiresIn: 60, unknown: "is left out" }]);
    expect({ ...create(own) }).toEqual({ ...create(librarys) });
    expect(create(own)).toMatchObject({ ...members, kind: name, clientId: "shopWeb", client: shopWeb, expiresIn: 60 });
    expect(create(own)).toBeInstanceOf(own[name]);
    expect(eventOf(own, create(own))).toBe(eventOf(librarys, create(librarys)));
  },
);

/** The name under which a provider hears that a model was saved. */
function eventOf(provider: Provider, model: object): unknown {
  const heard = vi.spyOn(provider, "emit").mockReturnValue(true);
  Reflect.get(model, "emit").call(model, "saved");
  return heard.mock.calls[0]?.[0];
}

test("a session that nobody had is new, and one that was read is not", () => {
  const provider = newProvider();
  useDirectPayloads(provider, () => NOW_SECONDS);
  const instantiate = (...payload: unknown[]): { new?: true } =>
    Reflect.get(provider.Session, "instantiate").apply(provider.Session, payload);
  expect([instantiate().new, instantiate({}).new]).toEqual([true, undefined]);
});

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
