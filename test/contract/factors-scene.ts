import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, beforeEach, expect } from "vitest";
import { createKnownDevices } from "../../src/accounts/index.ts";
import { type Audit, createAudit } from "../../src/audit/index.ts";
import { createAuthenticator, createSealer } from "../../src/core/index.ts";
import { createFactors, type Factors, type FactorSource } from "../../src/mfa/index.ts";
import { codeOf } from "../../src/mfa/totp/codes.ts";
import type { Database } from "../../src/storage/index.ts";
import { createMovableClock, type MovableClock } from "../support/movable-clock.ts";
import { addAccount } from "./grounds.ts";
import type { RevocationGround } from "./revocations.contract.ts";

export const ISSUER = "https://id.example.com";
export const STEP_SECONDS = 30;
/** Where an app is added. */
export const SIGN_IN = "interaction-1";

export interface Person {
  readonly id: string;
  readonly email: string;
  readonly name: string;
}

/** Somebody with an authenticator app. */
export interface Holder extends Person {
  readonly deviceId: string;
  /** The app's code now, or that many steps away. */
  readonly code: (steps?: number) => string;
}

/** Two nodes on one database, on a clock of their own that is moved by hand. */
export interface FactorsScene {
  readonly near: Factors;
  readonly far: Factors;
  readonly clock: MovableClock;
  readonly audit: Audit;
  readonly db: Database["db"];
  readonly knownDevices: ReturnType<typeof createKnownDevices>;
  /** As a node has them whose LATCHKEY_SECRET is another. */
  readonly factorsWith: (secrets: readonly string[]) => Factors;
  readonly addPerson: () => Promise<Person>;
  readonly addHolder: () => Promise<Holder>;
  /** The events of an account, oldest first: type, and what is in their data. */
  readonly eventsOf: (accountId: string) => Promise<readonly string[]>;
}

let addresses = 0;

/** From an address of its own. */
export function freshSource(source: Partial<FactorSource> = {}): FactorSource {
  addresses += 1;
  return { address: `2001:db8:${addresses.toString(16)}::1`, requestId: "request-1", clientId: "shopWeb", ...source };
}

export function openScene(openGround: () => Promise<RevocationGround>): () => FactorsScene {
  let ground: RevocationGround;
  let databases: readonly [Database, Database];
  let scene: FactorsScene;
  beforeAll(async () => {
    ground = await openGround();
    databases = [await ground.connect(), await ground.connect()];
  });
  beforeEach(() => {
    scene = createScene(databases);
  });
  afterAll(() => ground.close());
  return () => scene;
}

function createScene([nearDatabase, farDatabase]: readonly [Database, Database]): FactorsScene {
  const clock = createMovableClock();
  const { db } = nearDatabase;
  const audit = createAudit({ db, clock });
  const knownDevices = createKnownDevices({ db, clock });
  const nodeOn = (database: Database, secrets: readonly string[]): Factors =>
    createFactors({
      db: database.db,
      clock,
      audit,
      knownDevices: createKnownDevices({ db: database.db, clock }),
      sealer: createSealer(secrets),
      authenticator: createAuthenticator(secrets),
      issuer: ISSUER,
      brandName: "Acme",
    });
  const near = nodeOn(nearDatabase, ["s".repeat(32)]);
  async function addPerson(): Promise<Person> {
    const id = randomBytes(16).toString("base64url");
    await addAccount(db, id);
    return { id, email: "alice@example.com", name: "Alice" };
  }
  return {
    near,
    far: nodeOn(farDatabase, ["s".repeat(32)]),
    clock,
    audit,
    db,
    knownDevices,
    factorsWith: (secrets) => nodeOn(nearDatabase, secrets),
    addPerson,
    async addHolder() {
      const person = await addPerson();
      const { deviceId, code } = await addDevice({ near, clock }, person);
      // The first code is used up by the enrollment.
      clock.passSeconds(2 * STEP_SECONDS);
      return { ...person, deviceId, code };
    },
    async eventsOf(accountId) {
      const events = await audit.list({ accountId, limit: 1_000 });
      return events.toReversed().map(({ type, data }) => [type, ...Object.values(data)].join(" "));
    },
  };
}

/** Adds an authenticator app as a person would: by its secret in base 32 and a code of now. */
export async function addDevice(
  { near, clock }: Pick<FactorsScene, "near" | "clock">,
  person: Person,
): Promise<{ readonly deviceId: string; readonly code: (steps?: number) => string }> {
  const code = readApp((await near.totp.beginEnrollment(person, SIGN_IN)).secret, clock);
  const attempt = { binding: SIGN_IN, code: code(), name: "Phone", source: freshSource() };
  expect(await near.totp.confirmEnrollment(person.id, attempt)).toEqual({ outcome: "accepted" });
  const { totpDevices } = await near.overview(person.id);
  return { deviceId: totpDevices.at(-1)?.id ?? "none", code };
}

/** What an app shows that was given the secret: now, or that many steps away. */
export function readApp(secret: string, clock: MovableClock): (steps?: number) => string {
  const octets = fromBase32(secret);
  return (steps = 0) => codeOf(octets, Math.floor(clock.nowMs() / 1_000 / STEP_SECONDS) + steps);
}

function fromBase32(text: string): Buffer {
  const bits = Array.from(text, (letter) =>
    "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".indexOf(letter).toString(2).padStart(5, "0"),
  );
  return Buffer.from(
    bits
      .join("")
      .match(/.{8}/g)
      ?.map((octet) => Number.parseInt(octet, 2)) ?? [],
  );
}

/** A code that is none of the holder's now. */
export function wrongCodeFor(holder: Holder): string {
  const right = new Set([-1, 0, 1].map((steps) => holder.code(steps)));
  return ["000000", "111111", "222222", "333333"].find((code) => !right.has(code)) ?? "none";
}

/** So many connections has each node. */
export const POOL_MAX = 20;

/**
 * Submits in parallel, on both nodes in turn. Their connections are opened before: dozens of them at once take longer
 * on a busy machine than a request waits.
 */
export async function race<Result>(
  { near, far }: Pick<FactorsScene, "near" | "far">,
  count: number,
  submit: (node: Factors, at: number) => Promise<Result>,
): Promise<readonly Result[]> {
  for (const node of [near, far]) {
    await Promise.all(Array.from({ length: POOL_MAX }, () => node.overview("nobody")));
  }
  return Promise.all(Array.from({ length: count }, (_, at) => submit(at % 2 === 0 ? near : far, at)));
}

export function countOutcomes(outcomes: readonly { readonly outcome: string }[]): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const { outcome } of outcomes) counts[outcome] = (counts[outcome] ?? 0) + 1;
  return counts;
}
