import { availableParallelism } from "node:os";
import { defineConfig } from "vitest/config";

/** A folder for what test files make for each other (see test/support/templates.ts). */
const RUN_FOLDER = "test/support/run-folder.ts";

const shared = {
  expect: { requireAssertions: true },
  sequence: { shuffle: true },
  restoreMocks: true,
  globalSetup: [RUN_FOLDER],
};

const project = (name: string, include: string[], options: Record<string, unknown> = {}) => ({
  test: { ...shared, name, include, ...options },
});

// Real Redis, Postgres and Chromium are started once for the whole run (see test/support/servers.ts).
const onRealServers = {
  globalSetup: [RUN_FOLDER, "test/support/global-setup.ts"],
  testTimeout: 60_000,
  hookTimeout: 60_000,
};

// A server costs two seconds to import and to run warm. No module has state, so the files of a worker can share it.
const sharingModules = { ...onRealServers, isolate: false };

/** Watches a module that others have imported by then, and has a process to itself. */
const WATCHING_MODULES = "src/accounts/passwords/password-hasher.test.ts";

// By itself vitest leaves one processor to its main process, which is half of a small machine.
const maxWorkers = Math.max(2, availableParallelism() - 1);

export default defineConfig({
  test: {
    maxWorkers,
    projects: [
      project("unit", ["src/**/*.test.ts", "examples/**/*.test.ts", "bench/**/*.test.ts"], {
        isolate: false,
        exclude: [WATCHING_MODULES],
      }),
      project("unit-alone", [WATCHING_MODULES]),
      project("architecture", ["test/architecture/**/*.test.ts"], { testTimeout: 60_000 }),
      project("contract", ["test/contract/**/*.test.ts"], sharingModules),
      project("flow", ["test/flow/**/*.test.ts"], sharingModules),
      project("security", ["test/security/**/*.test.ts"], sharingModules),
      project("faults", ["test/faults/**/*.test.ts"], onRealServers),
      project("browser", ["test/browser/**/*.test.ts"], { ...sharingModules, testTimeout: 120_000 }),
      project("install", ["test/install/**/*.test.ts"], { ...onRealServers, testTimeout: 300_000 }),
    ],
  },
});
