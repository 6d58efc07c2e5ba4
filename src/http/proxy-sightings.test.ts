import { expect, test } from "vitest";
import { createProxySightings } from "./proxy-sightings.ts";

const ISSUER = "https://id.example.com";
const direct = { isTrusted: false, protocol: undefined };
const byProxy = { isTrusted: true, protocol: "https" };

test("before there was a request there is nothing to say", () => {
  expect(createProxySightings(ISSUER).shares()).toBeUndefined();
});

test("what a proxy passes on as it should is nothing remarkable", () => {
  const sightings = createProxySightings(ISSUER);
  sightings.note({ host: "id.example.com", "x-forwarded-for": "198.51.100.1" }, byProxy);
  sightings.note({ host: "ID.example.com:443" }, direct);
  expect(sightings.shares()).toEqual({ untrusted: 0, otherHost: 0, otherProtocol: 0 });
});

test("headers of an untrusted peer, another host and another protocol are told apart", () => {
  const sightings = createProxySightings(ISSUER);
  sightings.note({ host: "id.example.com", "x-forwarded-for": "198.51.100.1" }, direct);
  sightings.note({ host: "id.example.com", forwarded: "for=198.51.100.1" }, direct);
  sightings.note({ host: "10.0.0.7:3000" }, direct);
  sightings.note({ host: "id.example.com" }, { isTrusted: true, protocol: "http" });
  expect(sightings.shares()).toEqual({ untrusted: 0.5, otherHost: 0.25, otherProtocol: 0.25 });
});

test("what was mended is forgotten after some requests", () => {
  const sightings = createProxySightings(ISSUER);
  for (let count = 0; count < 100; count += 1) sightings.note({ host: "10.0.0.7" }, direct);
  for (let count = 0; count < 10_000; count += 1) sightings.note({ host: "id.example.com" }, direct);
  expect(sightings.shares()?.otherHost).toBe(0);
});
