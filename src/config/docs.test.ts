import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { CONFIGURATION_PAGE, configurationPage } from "../../docs/generate-configuration.ts";

test("docs/configuration.md is what its generator writes (node docs/generate-configuration.ts)", () => {
  expect(readFileSync(CONFIGURATION_PAGE, "utf8")).toBe(configurationPage());
});
