import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { AUDIT_EVENTS, type AuditEventType, type StoredAuditEvent, undeclaredIn } from "../../../src/audit/index.ts";
import { alice, bob, mallory, ordersApi, shopWeb } from "../../support/cast.ts";
import { decideConsent, submitSignIn } from "../../support/journeys.ts";
import { errorOf } from "../../support/relying-party.ts";
import { createMailWorld, freshEmail, type MailWorld, openBrowserSomewhere } from "../by-mail/mail-world.ts";
import { enrollPerson, registerPerson } from "../mfa/people.ts";

/**
 * Every event of the catalogue is made to happen: here, on one server, by a way of `WAYS`; or in a test of its own, which
 * `ELSEWHERE` names and which names the event. An event that is in neither fails, and so does one that says what
 * `event-details.ts` does not declare. To add an event, add a way, or the file of its test.
 */
const ELSEWHERE: Partial<Record<AuditEventType, string>> = {
  client_changed: "src/clients/clients.test.ts",
  factor_paused: "test/contract/totp.contract.ts",
  passkey_failed: "test/contract/passkeys.contract.ts",
  passkey_clone_suspected: "test/contract/passkeys.contract.ts",
  client_throttled: "test/security/client-throttle.test.ts",
  sign_in_throttled: "src/accounts/sign-in.test.ts",
  signing_key_created: "test/contract/key-rotation.contract.ts",
  signing_key_rotated: "test/contract/key-rotation.contract.ts",
  signing_key_retired: "test/contract/key-rotation.contract.ts",
  signing_key_deleted: "test/contract/key-rotation.contract.ts",
  signing_key_withdrawn: "test/contract/key-rotation.contract.ts",
  refresh_token_reused: "test/flow/sessions/endings.test.ts",
  back_channel_logout_rejected: "src/sessions/back-channel/back-channel.test.ts",
  back_channel_logout_given_up: "src/sessions/back-channel/back-channel.test.ts",
  epoch_started: "test/contract/protocol-store-epoch.test.ts",
  audit_key_replaced: "test/contract/audit-key.contract.ts",
  webhook_given_up: "src/webhooks/retries.test.ts",
  password_locked: "src/accounts/sign-in.test.ts",
  account_imported: "src/accounts/import/import-people.test.ts",
};

const SOURCE = { address: "198.51.100.9" };
const PASSWORD = "harbor-thimble-walnut-5";

/** What a link of a mail carries. */
const tokenIn = (link: URL): string =>
  [...link.searchParams.values()].toSorted((one, other) => other.length - one.length)[0] ?? "";

type Way = (world: MailWorld) => Promise<unknown>;

/** Each makes some events happen, and says which. */
const WAYS: readonly (readonly [events: readonly AuditEventType[], way: Way])[] = [
  [
    ["account_registered", "client_created", "resource_server_created"],
    // The cast was registered when the world was made.
    async (world) => world.accountIdOf(alice.email),
  ],
  [
    [
      "sign_in_succeeded",
      "sign_in_failed",
      "session_started",
      "consent_given",
      "authorization_code_reused",
      "token_revoked",
    ],
    async (world) => {
      const { shopWeb: shop, deskBasic } = world.apps;
      const browser = openBrowserSomewhere(world);
      const request = await shop.begin({ scope: "openid profile email orders:read" });
      const signIn = await browser.open(request.url);
      await submitSignIn(browser, signIn, { email: alice.email, password: "wrong-but-typed-password" });
      const consent = await submitSignIn(browser, signIn, alice);
      const callback = (await decideConsent(browser, consent, "Allow")).url;
      await shop.complete(request, callback);
      await errorOf(shop.complete(request, callback));
      await deskBasic.revoke((await deskBasic.signIn(browser, alice)).refreshToken);
    },
  ],
  [
    ["consent_withdrawn", "session_ended"],
    async (world) => {
      const id = await world.accountIdOf(alice.email);
      await world.latchkey.sessions.withdrawConsent(id, shopWeb.id);
      await world.latchkey.sessions.endAll(id, "ended_by_operator");
    },
  ],
  [
    ["account_disabled", "account_enabled", "profile_changed", "account_unlocked"],
    async (world) => {
      const { accounts } = world.latchkey;
      const id = await world.accountIdOf(mallory.email);
      await accounts.disable(id);
      await accounts.enable(id);
      await accounts.changeProfile(id, { name: "Mallory Mint", locale: undefined }, SOURCE);
      await accounts.changePassword(id, { current: "wrong-but-typed-password", next: PASSWORD, source: SOURCE });
      await accounts.unlock(id);
    },
  ],
  [
    ["password_change_failed", "password_changed", "account_deleted"],
    async (world) => {
      const { accounts } = world.latchkey;
      const id = await world.accountIdOf(bob.email);
      await accounts.changePassword(id, { current: "wrong-but-typed-password", next: PASSWORD, source: SOURCE });
      await accounts.changePassword(id, { current: bob.password, next: PASSWORD, source: SOURCE });
      await accounts.remove(id, SOURCE);
    },
  ],
  [
    ["registration_requested", "invitation_sent"],
    async (world) => {
      const { accounts } = world.latchkey;
      const [email, invited] = [freshEmail("new"), freshEmail("invited")];
      await accounts.byMail.registration.begin({ email, locale: "en", source: SOURCE, origin: {} });
      const { link } = await world.mailTo(email);
      const newcomer = { name: "Nora North", password: PASSWORD, locale: "en", source: SOURCE };
      await accounts.byMail.registration.complete(tokenIn(link), newcomer);
      await accounts.byMail.registration.invite({ email: invited, locale: "en" });
    },
  ],
  [
    ["password_reset_requested", "password_reset"],
    async (world) => {
      const { latchkey } = world;
      const { email } = await registerPerson(world);
      await latchkey.accounts.byMail.passwordReset.begin({ email, locale: "en", source: SOURCE, origin: {} });
      const { link } = await world.mailTo(email);
      const input = { password: PASSWORD, source: SOURCE, needsFactor: async () => false };
      await latchkey.accounts.byMail.passwordReset.complete(tokenIn(link), input);
    },
  ],
  [
    ["email_confirmation_requested", "email_verified", "email_changed", "email_change_undone"],
    async (world) => {
      const { emailChange } = world.latchkey.accounts.byMail;
      const { id, email } = await registerPerson(world);
      await emailChange.begin(id, { email, locale: "en", source: SOURCE });
      await emailChange.complete(id, tokenIn((await world.mailTo(email)).link), SOURCE);
      const newEmail = freshEmail("changed");
      await emailChange.begin(id, { email: newEmail, locale: "en", source: SOURCE });
      await emailChange.complete(id, tokenIn((await world.mailTo(newEmail)).link), SOURCE);
      await emailChange.undo(tokenIn((await world.mailTo(email, 2)).link), SOURCE);
    },
  ],
  [
    [
      "factor_enrolled",
      "recovery_codes_made",
      "factor_verified",
      "factor_failed",
      "recovery_code_used",
      "factor_renamed",
      "factor_removed",
    ],
    async (world) => {
      const { factors } = world.latchkey;
      const { id, app, recoveryCodes } = await enrollPerson(world);
      await factors.totp.verify(id, { code: app.code() === "000000" ? "000001" : "000000", source: SOURCE });
      await factors.recoveryCodes.verify(id, { code: recoveryCodes[0] ?? "", source: SOURCE });
      const [factor] = (await factors.overview(id)).totpDevices;
      await factors.rename(id, factor?.id ?? "", "Old phone");
      await factors.remove(id, factor?.id ?? "", SOURCE);
    },
  ],
  [["factors_reset"], async (world) => world.latchkey.factors.reset((await enrollPerson(world)).id)],
  [
    ["client_secret_rotated", "client_grants_revoked", "client_removed"],
    async ({ latchkey: { clients } }) => {
      await clients.addClient({ id: "tempApi", name: "Temporary", authMethod: "client_secret_basic" });
      await clients.rotateSecret("tempApi", { keepOldForSeconds: 60 });
      await clients.revokeGrants("tempApi");
      await clients.removeClient("tempApi");
    },
  ],
  [
    ["resource_server_changed", "resource_server_removed"],
    async ({ latchkey: { clients } }) => {
      const identifier = "urn:temporary";
      await clients.addResourceServer({ ...ordersApi, identifier });
      const changed = { resources: [{ ...ordersApi, identifier, name: "Changed" }] };
      await clients.applyDocument(changed, { secretFiles: new Map(), mode: "apply" });
      await clients.removeResourceServer(identifier);
    },
  ],
  [
    ["webhook_added", "webhook_secret_rotated", "webhook_disabled", "webhook_enabled", "webhook_removed"],
    async ({ latchkey: { webhooks } }) => {
      await webhooks.add({ id: "siem", url: "https://siem.example.com/in", kinds: ["factors_reset"] });
      await webhooks.rotate("siem", 60);
      await webhooks.disable("siem");
      await webhooks.enable("siem");
      await webhooks.remove("siem");
    },
  ],
];

let world: MailWorld;
beforeAll(async () => {
  world = await createMailWorld({ EMAIL_VERIFICATION: "off" });
});
afterAll(() => world.close());

/** What happened since the server began. */
async function eventsSoFar(): Promise<readonly StoredAuditEvent[]> {
  const events: StoredAuditEvent[] = [];
  for (let before: string | undefined; ;) {
    const page = await world.latchkey.audit.list({ limit: 1_000, before });
    events.push(...page);
    if (page.length < 1_000) return events;
    before = page.at(-1)?.id;
  }
}

test("every event of the catalogue is made to happen, and says no more than is declared [ASVS 16.2.1]", async () => {
  for (const [expected, way] of WAYS) {
    await way(world);
    const types = new Set((await eventsSoFar()).map(({ type }) => type));
    expect(expected.filter((type) => !types.has(type))).toEqual([]);
  }
  const undeclared = (await eventsSoFar()).flatMap(({ type, data }) =>
    undeclaredIn(type, data).map((name) => `${type} data.${name}`),
  );
  expect(undeclared).toEqual([]);
  const made = [...WAYS.flatMap(([expected]) => expected), ...Object.keys(ELSEWHERE)];
  expect(made.toSorted()).toEqual(Object.keys(AUDIT_EVENTS).toSorted());
});

describe("the test of its own", () => {
  test.each(Object.entries(ELSEWHERE))("of %s is in %s", (type, file) => {
    const path = join(import.meta.dirname, "../../..", file);
    expect(existsSync(path)).toBe(true);
    expect(new RegExp(`\\b${type}\\b`).test(readFileSync(path, "utf8"))).toBe(true);
  });
});
