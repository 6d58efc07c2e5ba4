import { describe, expect, test } from "vitest";
import { AccountFieldInvalidError, PasswordUnacceptableError } from "../accounts/index.ts";
import { AppError } from "../core/index.ts";
import { textOf } from "../../test/support/html.ts";
import { alice, get, NOW_MS, otherDevice, post, SESSION, thisDevice } from "../../test/support/account-pages.ts";
import { oneApp } from "../../test/support/factors.ts";

const SOURCE = { address: "198.51.100.1", requestId: expect.any(String) };
const passwords = { current: "plum umbrella glacier", next: "harbor thimble walnut" };
const throwing = (error: Error) => async (): Promise<never> => {
  throw error;
};

describe("the profile", () => {
  test("shows name, e-mail with its state, language and the age of the password", async () => {
    const account = { ...alice, locale: "de", emailVerified: true, passwordChangedAt: new Date(NOW_MS) };
    const text = textOf((await get("/account", { account: { ...account, locale: undefined } })).body);
    expect(text).toContain("Email Confirmed alice@example.com");
    expect(text).toContain("Language Same as the browser");
    expect(text).toContain("Last changed on 23 November 2026");
    expect(textOf((await get("/account", { account })).body)).toContain("Sprache Deutsch");
    expect(textOf((await get("/account")).body)).toContain("Not confirmed");
  });

  test("offers the languages of the pages in their own words, and keeps another that the account has", async () => {
    const { body } = await get("/account/profile", { account: { ...alice, locale: "pt-BR" } });
    expect(body).toContain('<option value="">Same as the browser</option>');
    expect(body).toContain('<option value="en" lang="en">English</option>');
    expect(body).toContain('<option value="de" lang="de">Deutsch</option>');
    expect(body).toMatch(/<option value="pt-BR" lang="pt-BR" selected>Português/);
  });

  test("is changed by what the form says", async () => {
    const answer = await post("/account/profile", { name: " Alice ", locale: "" });
    expect(answer).toMatchObject({ status: 303, headers: { location: "/account?done=profile" } });
    expect(answer.calls).toEqual([["changeProfile", alice.id, { name: "Alice", locale: undefined }, SOURCE]]);
  });

  test("keeps what was typed when something of it cannot be", async () => {
    const accounts = { changeProfile: throwing(new AccountFieldInvalidError("name")) };
    const { status, body } = await post("/account/profile", { name: "x".repeat(201), locale: "de" }, { accounts });
    expect(status).toBe(400);
    expect(body).toContain(`value="${"x".repeat(201)}"`);
    expect(body).toContain('<option value="de" lang="de" selected>');
    expect(body).toMatch(/<title>Error: /);
  });
});

describe("the password", () => {
  test("has fields that a password manager knows, and ends other sessions unless that is unticked", async () => {
    const { body } = await get("/account/password");
    expect(body).toContain('autocomplete="current-password"');
    expect(body).toContain('autocomplete="new-password"');
    expect(body).toMatch(/name="endOthers" value="yes"[^>]* checked>/);
    const both = await post("/account/password", { ...passwords, endOthers: "yes" });
    expect(both.headers.location).toBe("/account?done=password-and-others");
    expect(both.calls).toEqual([
      ["changePassword", alice.id, { ...passwords, source: SOURCE }],
      ["endOthers", alice.id, SESSION.sessionId, "password_changed"],
    ]);
    const one = await post("/account/password", passwords);
    expect(one.headers.location).toBe("/account?done=password");
    expect(one.calls).toHaveLength(1);
  });

  test.each([
    ["is another one", async () => ({ outcome: "refused" }) as const, 400, "That isn’t your current password."],
    [
      "was guessed too often",
      async () => ({ outcome: "throttled", retryAfterSeconds: 300, needsReset: false }) as const,
      429,
      "Too many attempts. You can try again in 5 minutes.",
    ],
    ["cannot be checked now", throwing(new AppError("HASHING_BUSY")), 503, "Many people are signing in right now."],
    [
      "is to become a common one",
      throwing(new PasswordUnacceptableError({ fault: "too_common" })),
      400,
      "Many people use",
    ],
    ["is to become no text", throwing(new AccountFieldInvalidError("password")), 400, "This password cannot be used."],
  ])("that %s stays, and no session ends", async (_, changePassword, status, sentence) => {
    const answer = await post(
      "/account/password",
      { ...passwords, endOthers: "yes" },
      { accounts: { changePassword } },
    );
    expect(answer).toMatchObject({ status, calls: [] });
    expect(textOf(answer.body)).toContain(sentence);
    expect(answer.body).not.toMatch(/plum|harbor/);
  });

  test("that is not typed is asked for beside its field, and an unticked box stays so", async () => {
    const { status, body } = await post("/account/password", { current: "", next: "" });
    expect(status).toBe(400);
    expect(body).toContain('id="current-error"');
    expect(body).toContain('id="next-error"');
    expect(body).not.toContain("checked");
  });
});

describe("the devices", () => {
  test("come with this one first, and buttons for the others alone", async () => {
    const { body } = await get("/account/devices", { devices: [otherDevice, thisDevice] });
    const text = textOf(body);
    expect(text).toMatch(/Firefox on Linux This device 192\.0\.2\.14 .* Safari on iPhone 198\.51\.100\.7/);
    expect(text).toContain(
      "Signed in: 12 November 2026, 12:00 UTC, with your password and a code Apps: Notes and Shop",
    );
    expect(body).toContain('name="session" value="session-2"');
    expect(body).not.toContain('value="session-1"');
    expect(text).toContain("Sign out 1 other device");
  });

  test("alone need no way to end others", async () => {
    const { body } = await get("/account/devices", { devices: [{ ...thisDevice, device: undefined, amr: ["x"] }] });
    expect(textOf(body)).toContain("Unknown device This device");
    expect(body).not.toContain("end-others");
  });

  test("say where they are only if somebody can tell", async () => {
    const placeOf = (address: string) => (address === "198.51.100.7" ? "Malmö, Sweden" : undefined);
    const text = textOf((await get("/account/devices", { settings: { placeOf } })).body);
    expect(text).toContain("\u2068Malmö, Sweden\u2069 · 198.51.100.7");
    expect(text).not.toMatch(/· 192/);
  });

  test("end one by one or together", async () => {
    const one = await post("/account/devices/end", { session: "session-2" });
    expect(one).toMatchObject({ status: 303, headers: { location: "/account/devices?done=device-ended" } });
    expect(one.calls).toEqual([["end", alice.id, "session-2", "ended_by_person"]]);
    const all = await post("/account/devices/end-others", {});
    expect(all.calls).toEqual([["endOthers", alice.id, SESSION.sessionId, "ended_by_person"]]);
  });

  test.each(["", "\0", "a b", "x".repeat(65)])("of no id %j are not found", async (session) => {
    expect(await post("/account/devices/end", { session })).toMatchObject({ status: 404, calls: [] });
  });
});

describe("the apps", () => {
  test("say what they may do in the words of the consent page; ours have no button", async () => {
    const { body } = await get("/account/apps");
    const text = textOf(body);
    expect(text).toContain("See your email address Stay connected while you’re away See your orders · At Orders");
    expect(text).toMatch(/Allowed on 12 May 2026 · last used .+ In use on Safari on iPhone/);
    expect(text).toMatch(/Apps of Latchkey .* Notes .*In use on Safari on iPhone/);
    expect(body.match(/action="\/account\/apps\/withdraw"/g)).toHaveLength(1);
  });

  test("that were allowed nothing, and none at all, have words too", async () => {
    const none = await get("/account/apps", { allowed: [], devices: [thisDevice] });
    expect(textOf(none.body)).toContain("You haven’t allowed any app");
    expect(none.body).not.toContain("Apps of Latchkey");
  });

  test("are removed if they were allowed something", async () => {
    const done = await post("/account/apps/withdraw", { client: "shopWeb" });
    expect(done.headers.location).toBe("/account/apps?done=app-removed");
    expect(done.calls).toEqual([["withdrawConsent", alice.id, "shopWeb"]]);
    for (const client of ["notesWeb", "", "\0"]) {
      const answer = await post("/account/apps/withdraw", { client });
      expect(answer).toMatchObject({ status: 303, headers: { location: "/account/apps" }, calls: [] });
    }
  });
});

describe("a copy of the data", () => {
  test("is a file with all of it", async () => {
    const fresh = { acr: "urn:latchkey:acr:mfa", authenticatedAt: SESSION.authenticatedAt };
    const scene = { settings: { factors: oneApp }, session: { ...SESSION, ...fresh } };
    const { headers, body } = await get("/account/data.json", scene);
    expect(headers).toMatchObject({
      "content-type": "application/json; charset=utf-8",
      "content-disposition": 'attachment; filename="account.json"',
      "cache-control": "no-store",
    });
    expect(JSON.parse(body)).toMatchObject({
      account: { id: alice.id },
      sessions: [{ id: "session-1" }, { id: "session-2" }],
      consents: [{ client: { id: "shopWeb" } }],
      signInMethods: { totpDevices: [{ name: "Phone" }] },
      activity: [],
    });
  });
});

describe("deleting the account", () => {
  test("takes the address in any case, and ends the session", async () => {
    const answer = await post("/account/delete", { email: " ALICE@example.com" });
    expect(answer).toMatchObject({ status: 303, headers: { location: "/signed-out?done=account-deleted" } });
    expect(answer.calls.map(([name]) => name)).toEqual(["remove", "end session"]);
  });

  test.each(["", "bob@example.com"])("is not done for %j", async (email) => {
    const answer = await post("/account/delete", { email });
    expect(answer).toMatchObject({ status: 400, calls: [] });
    expect(textOf(answer.body)).toContain("That isn’t the email of this account.");
  });

  test("that has to wait leaves account and session", async () => {
    const accounts = { remove: throwing(new AppError("STORE_UNAVAILABLE")) };
    const answer = await post("/account/delete", { email: alice.email }, { accounts });
    expect(answer).toMatchObject({ status: 503, calls: [] });
  });
});
