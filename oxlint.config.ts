import { type DummyRuleMap, defineConfig } from "oxlint";
import { allowedImports, packageOwners } from "./architecture.ts";

const folders = Object.keys(allowedImports);

/** What a file in `folder` may not import, as the table in architecture.ts has it. */
function forbiddenIn(folder: string) {
  const allowed: readonly string[] = allowedImports[folder as keyof typeof allowedImports];
  const closed = folders.filter((other) => other !== folder && !allowed.includes(other));
  const packages = Object.entries(packageOwners)
    .filter(([, owners]) => !(owners as readonly string[]).includes(folder))
    .map(([name]) => name);
  return {
    paths: packages.map((name) => ({ name, message: `architecture.ts says which folder may import ${name}.` })),
    patterns: [
      ...closed.map((other) => ({
        group: [`**/${other}/**`],
        message: `${folder} may not import ${other}: see architecture.ts.`,
      })),
      ...allowed.map((other) => ({
        group: [`**/${other}/*`, `!**/${other}/index.ts`],
        message: `Import ${other} through its index.ts.`,
      })),
      { group: ["oidc-provider/**"], message: "Deep imports of oidc-provider live in src/oidc/internals.ts alone." },
    ],
  };
}

/** The one seam to the inside of oidc-provider, which otherwise keeps the rules of its folder. */
function forbiddenInSeam() {
  const { paths, patterns } = forbiddenIn("oidc");
  return { paths, patterns: patterns.filter(({ group }) => !group.includes("oidc-provider/**")) };
}

export default defineConfig({
  plugins: ["typescript", "unicorn", "oxc", "import", "promise", "node", "vitest"],
  categories: { correctness: "error", suspicious: "error", perf: "error" },
  options: { typeAware: true },
  rules: {
    "typescript/no-floating-promises": "error",
    "typescript/no-misused-promises": "error",
    "typescript/no-explicit-any": "error",
    "typescript/no-non-null-assertion": "error",
    "typescript/switch-exhaustiveness-check": "error",
    "typescript/consistent-type-imports": "error",
    "import/no-default-export": "error",
    "import/no-cycle": "error",
    "max-lines": ["error", { max: 400, skipBlankLines: true, skipComments: true }],
    "max-lines-per-function": ["error", { max: 70, skipBlankLines: true, skipComments: true }],
    "max-params": ["error", { max: 4 }],
    eqeqeq: "error",
    "no-console": "error",
    // Steps of a flow and rounds of a race follow each other on purpose.
    "no-await-in-loop": "off",
    "unicorn/no-array-sort": "off",
    "unicorn/consistent-function-scoping": "off",
    "import/no-unassigned-import": "off",
    "import/no-named-as-default-member": "off",
    "no-underscore-dangle": "off",
    "typescript/no-unsafe-type-assertion": "off",
    "vitest/require-mock-type-parameters": "off",
    "vitest/no-conditional-tests": "off",
  },
  overrides: [
    ...folders.map((folder) => ({
      files: [`src/${folder}/**/*.ts`],
      rules: { "no-restricted-imports": ["error", forbiddenIn(folder)] } satisfies DummyRuleMap,
    })),
    {
      files: ["src/oidc/internals.ts"],
      rules: { "no-restricted-imports": ["error", forbiddenInSeam()] },
    },
    {
      files: ["src/**/*.test.ts", "test/**", "bench/**"],
      rules: {
        "max-lines-per-function": "off",
        "no-restricted-imports": "off",
        // vitest itself counts assertions at run time (`requireAssertions`), those in helpers included.
        "vitest/expect-expect": "off",
        // The second argument says which of several in a loop it was.
        "vitest/valid-expect": ["error", { maxArgs: 2 }],
      },
    },
    { files: ["*.config.ts"], rules: { "import/no-default-export": "off" } },
    {
      files: ["src/cli.ts", "src/main.ts", "src/supervise.ts", "bin/**", "bench/**", "examples/**"],
      rules: { "no-console": "off" },
    },
  ],
});
