import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { createAssets } from "./assets.ts";
import { brandStyles } from "./brand-styles.ts";
import { askApp } from "./test-server.ts";

const assets = createAssets({ name: "Latchkey", color: "#0f766e", logoFile: undefined });
const ask = (path: string, headers = {}) => askApp([assets.middleware], { path, headers });

test("a stylesheet asked for by its hash may be kept for a year", async () => {
  const answer = await ask(assets.urlOf("latchkey.css") ?? "");
  expect(answer).toMatchObject({ status: 200 });
  expect(answer.headers).toMatchObject({
    "content-type": "text/css; charset=utf-8",
    "cache-control": "public, max-age=31536000, immutable",
  });
});

test("without the hash it is kept for an hour and then asked about again", async () => {
  const { headers } = await ask("/assets/glyph.svg");
  expect(headers).toMatchObject({ "content-type": "image/svg+xml", "cache-control": "max-age=3600" });
  const again = await ask("/assets/glyph.svg", { "if-none-match": headers.etag });
  expect(again).toMatchObject({ status: 304, body: "" });
});

test.each([
  "/assets/",
  "/assets/nothing.css",
  "/assets/../views.ts",
  "/assets/%2e%2e/package.json",
  "/assets/constructor",
])("%s is not there", async (path) => {
  expect(await ask(path)).toMatchObject({ status: 404 });
});

test("the tab's icon wears the brand's color", async () => {
  const { body } = await ask("/assets/favicon.svg");
  expect(body).toContain('fill="#0f766e"');
  expect(body).not.toContain("#4f46e5");
});

test.each([
  ["#000000", "#ffffff"],
  ["#4f46e5", "#ffffff"],
  ["#f97316", "#111111"],
  ["#ffffff", "#111111"],
])("old browsers get a label on %s in %s", (color, label) => {
  expect(brandStyles(color)).toContain(`--brand: ${color};`);
  expect(brandStyles(color)).toContain(`--on-accent: ${label};`);
});

test.each([
  ["logo.svg", "image/svg+xml"],
  ["logo.PNG", "image/png"],
])("an operator's %s is served as %s", async (name, type) => {
  const directory = mkdtempSync(join(tmpdir(), "latchkey-logo-"));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  const logoFile = join(directory, name);
  writeFileSync(logoFile, "<svg/>");
  const branded = createAssets({ name: "Shop ID", color: "#0f766e", logoFile });
  const answer = await askApp([branded.middleware], { path: branded.logoUrl ?? "" });
  expect(answer).toMatchObject({ status: 200, body: "<svg/>" });
  expect(answer.headers["content-type"]).toBe(type);
});

test("a logo that is too large stops the start", () => {
  const directory = mkdtempSync(join(tmpdir(), "latchkey-logo-"));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  const logoFile = join(directory, "logo.svg");
  writeFileSync(logoFile, "x".repeat(512 * 1024 + 1));
  expect(() => createAssets({ name: "Shop ID", color: "#0f766e", logoFile })).toThrow("512 KiB");
});
