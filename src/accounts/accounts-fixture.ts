import { createHash } from "node:crypto";
import { createAudit } from "../audit/index.ts";
import { createAuthenticator, systemClock as clock } from "../core/index.ts";
import type { Db } from "../storage/index.ts";
import { createAccounts, type AccountsDependencies } from "./accounts.ts";
import type { PasswordHasher } from "./passwords/password-hasher.ts";

export const PASSWORD = "plum umbrella glacier";

/** Hashes at no cost and counts how often it was asked, so that races are about the database and not about argon2. */
export function createCheapHasher(version = "v1") {
  const verified: (string | undefined)[] = [];
  const digest = (password: string): string => createHash("sha256").update(password).digest("hex");
  const hasher: PasswordHasher = {
    hash: async (password) => `${version}:${digest(password)}`,
    verify: async (passwordHash, password) => {
      verified.push(passwordHash);
      return passwordHash?.split(":")[1] === digest(password);
    },
    load: () => ({ running: 0, waiting: 0, refused: 0 }),
    isOutdated: (passwordHash) => !passwordHash.startsWith(`${version}:`),
  };
  return { hasher, verified };
}

export function createTestAccounts(db: Db, overrides: Partial<AccountsDependencies> = {}) {
  const audit = createAudit({ db, clock });
  const { hasher, verified } = createCheapHasher();
  const ended: string[] = [];
  const accounts = createAccounts({
    db,
    clock,
    audit,
    hasher,
    passwordHash: { memoryKib: 19_456, passes: 2 },
    authenticator: createAuthenticator(["a secret of the tests, of 32 bytes"]),
    removeFactorsSince: async () => {},
    mails: { isConfigured: false, enqueue: async () => {} },
    passwords: { charactersMin: 12, breachListUrl: undefined },
    strength: { estimate: async () => ({ level: 4, weaknesses: [] }) },
    endSessions: async (accountId) => {
      ended.push(accountId);
      return { isComplete: true };
    },
    forgetSessions: async () => true,
    clientIdsAmong: async () => new Set(),
    ...overrides,
  });
  return { accounts, audit, verified, ended };
}

let counter = 0;

/** Something that no other test uses: tests of one file share a database and run in any order. */
export function unique(word: string): string {
  counter += 1;
  return `${word}${counter}`;
}

/** An address of its own, so that the limit per address does not get in the way. */
export function freshAddress(): string {
  counter += 1;
  return `2001:db8:${Math.floor(counter / 65_536).toString(16)}:${(counter % 65_536).toString(16)}::1`;
}
