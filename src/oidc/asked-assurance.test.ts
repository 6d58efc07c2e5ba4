import { expect, test } from "vitest";
import { askedAcrs, requiredAssurance } from "./asked-assurance.ts";

const claims = (acr: unknown): string => JSON.stringify({ id_token: { acr } });

test.each([
  ["nothing", {}, []],
  ["acr_values", { acr_values: "phr urn:latchkey:acr:mfa" }, ["phr", "urn:latchkey:acr:mfa"]],
  ["one value of the claim", { claims: claims({ essential: true, value: "phr" }) }, ["phr"]],
  ["several values of the claim", { claims: claims({ values: ["a", "b"] }) }, ["a", "b"]],
  ["both at once", { acr_values: "a", claims: claims({ value: "b" }) }, ["a", "b"]],
  ["the claim without a value", { claims: claims({ essential: true }) }, []],
  ["the claim as null", { claims: claims(null) }, []],
  ["no claim", { claims: "{}" }, []],
  ["parameters of another type", { acr_values: ["phr"], claims: 1 }, []],
])("%s asks for what it says", (_, params, asked) => {
  expect(askedAcrs(params)).toEqual(asked);
});

test.each([
  ["a list that is none", claims({ values: "phr" })],
  ["a list of other things", claims({ values: ["phr", 1] })],
  ["a value that is no text", claims({ value: ["phr"] })],
  ["a text in its place", claims("phr")],
  ["a list in the place of the ID token's claims", '{"id_token":["phr"]}'],
  ["claims that are no JSON", "{"],
  ["claims that are no object", "[]"],
])("%s is refused, and not overlooked", (_, asked) => {
  expect(() => askedAcrs({ claims: asked })).toThrow(expect.objectContaining({ error: "invalid_request" }));
});

test.each([
  ["nothing", {}, { acr: "urn:latchkey:acr:pwd", isAsked: false }],
  ["a class that includes others", { acr_values: "phr" }, { acr: "phr", isAsked: true }],
  [
    "several: the weakest will do",
    { acr_values: "phr urn:latchkey:acr:mfa" },
    { acr: "urn:latchkey:acr:mfa", isAsked: true },
  ],
  ["one that is not known beside one that is", { acr_values: "gold phr" }, { acr: "phr", isAsked: true }],
])("an app that asks for %s needs that", (_, params, required) => {
  expect(requiredAssurance(params, "optional")).toEqual({ ...required, policy: "optional" });
});

test("a class that nobody knows cannot be reached", () => {
  expect(requiredAssurance({ acr_values: "gold" }, "optional")).toBeUndefined();
});

test("a policy that requires a second factor needs it, whatever weaker class is asked for", () => {
  expect(requiredAssurance({ acr_values: "urn:latchkey:acr:pwd" }, "required")).toEqual({
    acr: "urn:latchkey:acr:mfa",
    isAsked: false,
    policy: "required",
  });
});
