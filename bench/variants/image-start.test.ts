import { expect, test } from "vitest";
import { imageStart, parseImageStart } from "./image-start.ts";

test("flags and the allocator's settings are read as the image sets them", () => {
  const dockerfile = [
    "FROM node:24-slim",
    "ENV NODE_ENV=production LD_PRELOAD=liballocator.so",
    "ENV MALLOC_CONF=decay_ms:1,narenas:2",
    'ENTRYPOINT ["node", "--max-semi-space-size=8", "bin/latchkey.js"]',
  ].join("\n");
  expect(parseImageStart(dockerfile)).toEqual({
    flags: ["--max-semi-space-size=8"],
    env: { LD_PRELOAD: "liballocator.so", MALLOC_CONF: "decay_ms:1,narenas:2" },
  });
});

test("an image that starts something else is refused, not measured as if it were Node", () => {
  expect(() => parseImageStart('ENTRYPOINT ["tini", "node"]')).toThrow("starts tini");
  expect(() => parseImageStart("FROM node:24-slim")).toThrow("no ENTRYPOINT");
});

test("our own Dockerfile can be read", () => {
  expect(() => imageStart()).not.toThrow();
});
