import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { Page } from "playwright-core";
import { z } from "zod";

const axeSource = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

const violationsSchema = z.array(
  z.object({ id: z.string(), nodes: z.array(z.object({ html: z.string(), failureSummary: z.string() })) }),
);

const EVERY_RULE = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];

/** Where only colors are others than before, the rules that look at them: the rest would find the same again. */
const RULES_OF_COLORS = ["color-contrast", "link-in-text-block"];

/** Width in CSS pixels and color scheme. 320 px is the narrowest that has to work (WCAG 2.2, 1.4.10). */
const SCREENS = [
  { width: 320, colorScheme: "light", rules: EVERY_RULE },
  { width: 320, colorScheme: "dark", rules: RULES_OF_COLORS },
  { width: 1280, colorScheme: "dark", rules: RULES_OF_COLORS },
  { width: 1280, colorScheme: "light", rules: EVERY_RULE },
] as const;

/**
 * What is wrong with the page as it stands, on every screen: axe's findings (WCAG 2.2 AA and best practice) and content
 * that is wider than the screen. One sentence each.
 */
export async function findBarriers(page: Page): Promise<readonly string[]> {
  const barriers: string[] = [];
  for (const { width, colorScheme, rules } of SCREENS) {
    await page.setViewportSize({ width, height: 900 });
    await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
    const found = [...(await runAxe(page, rules)), ...(await findOverflow(page))];
    barriers.push(...found.map((finding) => `${width} px, ${colorScheme}: ${finding}`));
  }
  return barriers;
}

async function runAxe(page: Page, rules: readonly string[]): Promise<readonly string[]> {
  if ((await page.evaluate("typeof axe")) === "undefined") await page.evaluate(axeSource);
  const options = JSON.stringify({ runOnly: rules, resultTypes: ["violations"] });
  const violations: unknown = await page.evaluate(`axe.run(${options}).then((result) => result.violations)`);
  return violationsSchema
    .parse(violations)
    .flatMap(({ id, nodes }) => nodes.map(({ html, failureSummary }) => `${id}: ${html} ${failureSummary}`));
}

async function findOverflow(page: Page): Promise<readonly string[]> {
  const widths: unknown = await page.evaluate("[document.documentElement.scrollWidth, innerWidth]");
  const [content = 0, screen = 0] = z.array(z.number()).parse(widths);
  return content > screen ? [`the content is ${content} px wide`] : [];
}
