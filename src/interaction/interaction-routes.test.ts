import { expect, test } from "vitest";
import { AccountFieldInvalidError, PasswordUnacceptableError } from "../accounts/index.ts";
import { AppError } from "../core/index.ts";
import { askApp, type TestRequest } from "../http/test-server.ts";
import { createTestToolkit } from "../http/test-toolkit.ts";
import type { PendingInteraction } from "../oidc/index.ts";
import { createInteractionRoutes } from "./interaction-routes.ts";
import type { InteractionDependencies } from "./ports.ts";
import { alice, consentRequest, createFakeInteractions, shopWeb, signInRequest } from "./test-cast.ts";
import { withoutFactors } from "../../test/support/factors.ts";
import { withoutMail } from "../../test/support/without-mail.ts";

type Accounts = InteractionDependencies["accounts"];

interface Scene {
  readonly pending?: PendingInteraction | undefined;
  readonly accounts?: Partial<Accounts>;
  readonly registration?: InteractionDependencies["registration"];
  readonly clock?: InteractionDependencies["clock"];
}

const noAccounts: Accounts = {
  find: async (id) => (id === alice.id ? alice : undefined),
  read: async (id) => (id === alice.id ? alice : undefined),
  signIn: async () => ({ outcome: "refused" }),
  register: async () => alice,
  byMail: withoutMail,
};

/** Asks the pages with one request that waits (or none), as a browser would. */
async function ask(scene: Scene, { headers, ...sent }: TestRequest) {
  const { around, ...toolkit } = createTestToolkit();
  const {
    pending,
    accounts = {},
    registration = "open",
    clock = withoutFactors.clock,
  } = { pending: signInRequest, ...scene };
  const routes = createInteractionRoutes({
    ...toolkit,
    ...withoutFactors,
    clock,
    interactions: createFakeInteractions(pending),
    accounts: { ...noAccounts, ...accounts },
    registration,
    verifiesEmail: false,
    clientAddress: () => "198.51.100.1",
  });
  return askApp([...around, routes], { ...sent, headers: { accept: "text/html", ...headers } });
}

/** An account function that fails. */
function refuseWith(reason: Error): () => Promise<never> {
  return async () => {
    throw reason;
  };
}

const csrf = createTestToolkit().csrf.token(signInRequest.uid);

/** Posts fields with the page's token. */
function post(scene: Scene, step: string, fields: Readonly<Record<string, string>>) {
  const body = new URLSearchParams({ csrf, ...fields }).toString();
  return ask(scene, { method: "POST", path: `/interaction/uid-1/${step}?r=restart-1`, body });
}

const get = (scene: Scene, path = "/interaction/uid-1?r=restart-1") => ask(scene, { path });
const pair = { email: "alice@example.com", password: "correct horse battery" };

test("the sign-in page has labeled fields that a password manager knows", async () => {
  const { status, body } = await get({});
  expect(status).toBe(200);
  expect(body).toContain('<label for="email">');
  expect(body).toMatch(
    /id="email" name="email" type="email" autocomplete="username webauthn" required inputmode="email"/,
  );
  expect(body).toMatch(/id="password" name="password" type="password" autocomplete="current-password" required/);
});

test("its form may lead back to the app that asked, and nowhere else", async () => {
  const { headers } = await get({});
  expect(headers["content-security-policy"]).toContain("form-action 'self' https://shop.example.com;");
});

test("the right pair leads on with 303 [RFC 9700 4.12]", async () => {
  const accounts: Partial<Accounts> = { signIn: async () => ({ outcome: "accepted", account: alice }) };
  const answer = await post({ accounts }, "sign-in", pair);
  expect(answer).toMatchObject({ status: 303, headers: { location: "/auth/uid-1?signed-in=alice-id" } });
});

test("a pair that was right until a reset took the password away meanwhile begins no session [ASVS 7.4.3]", async () => {
  const resetAtMs = 5_000;
  let nowMs = resetAtMs - 1;
  const accounts: Partial<Accounts> = {
    signIn: async () => {
      nowMs = resetAtMs + 1;
      return { outcome: "accepted", account: alice };
    },
    read: async () => ({ ...alice, proofsSince: nowMs > resetAtMs ? new Date(resetAtMs) : undefined }),
  };
  const answer = await post({ accounts, clock: { nowMs: () => nowMs } }, "sign-in", pair);
  expect(answer).toMatchObject({ status: 303, headers: { location: "/interaction/uid-1/sign-in?r=restart-1" } });
});

test("an attempt is counted for the address and the client that it came from [ASVS 6.3.1]", async () => {
  const attempts: unknown[] = [];
  const accounts: Partial<Accounts> = {
    signIn: async (attempt) => {
      attempts.push(attempt);
      return { outcome: "refused" };
    },
  };
  await post({ accounts }, "sign-in", pair);
  const source = { address: "198.51.100.1", requestId: expect.any(String) as string };
  expect(attempts).toEqual([{ ...pair, clientId: "shopWeb", source }]);
});

test("a wrong pair is said in the summary alone, and only the e-mail is kept [ASVS 6.3.8]", async () => {
  const { status, body } = await post({}, "sign-in", { email: "bob@example.com", password: "wrong password 1" });
  expect(status).toBe(400);
  expect(body).toContain("That email and password don’t match.");
  expect(body).toContain("<title>Error: Sign in");
  expect(body).toContain('role="alert"');
  expect(body).toContain('value="bob@example.com"');
  expect(body).not.toContain("wrong password 1");
  expect(body).not.toContain("aria-invalid");
});

test("missing fields are marked beside the field and linked in the summary", async () => {
  const { status, body } = await post({}, "sign-in", { email: "maya@", password: "" });
  expect(status).toBe(400);
  expect(body).toContain("2 things to fix");
  expect(body).toContain('<a href="#password">Enter your password.</a>');
  expect(body).toMatch(/value="maya@" aria-invalid="true" aria-describedby="email-error"/);
});

test("a throttled attempt says when to come back", async () => {
  const accounts: Partial<Accounts> = {
    signIn: async () => ({ outcome: "throttled", retryAfterSeconds: 300, needsReset: false }),
  };
  const answer = await post({ accounts }, "sign-in", pair);
  expect(answer).toMatchObject({ status: 429, headers: { "retry-after": "300" } });
  expect(answer.body).toContain("You can try again in 5 minutes.");
});

test.each([
  ["en", "this password doesn’t work here any more. Reset it by email"],
  ["de", "gilt dieses Passwort hier nicht mehr. Setzen Sie es per E-Mail zurück"],
  ["fr", "ce mot de passe ne fonctionne plus ici. Réinitialisez-le par e-mail"],
])("a password that has come to its end says what helps, in %s", async (uiLocales, sentence) => {
  const accounts: Partial<Accounts> = {
    signIn: async () => ({ outcome: "throttled", retryAfterSeconds: 3_600, needsReset: true }),
  };
  const answer = await post({ accounts, pending: { ...signInRequest, uiLocales: [uiLocales] } }, "sign-in", pair);
  expect(answer).toMatchObject({ status: 429, headers: { "retry-after": "3600" } });
  expect(answer.body).toContain(sentence);
});

test("a busy server keeps the form and says when to come back", async () => {
  const accounts: Partial<Accounts> = { signIn: refuseWith(new AppError("HASHING_BUSY", { retryAfterSeconds: 5 })) };
  const answer = await post({ accounts }, "sign-in", pair);
  expect(answer).toMatchObject({ status: 503, headers: { "retry-after": "5" } });
  expect(answer.body).toContain('value="alice@example.com"');
});

test("someone who is asked to sign in again is told why and may be someone else", async () => {
  const pending = { ...signInRequest, accountId: alice.id, isReauthentication: true };
  const { body } = await get({ pending });
  expect(body).toContain("asks for your password once more");
  expect(body).toContain('value="alice@example.com"');
  expect(body).toContain('action="/interaction/uid-1/switch?r=restart-1"');
  expect(body).not.toContain("Create an account");
});

test.each([
  ["alice@example.com", true],
  ["+49 170 1234567", false],
  ["<b>@", false],
])("a login hint of %j is put into the field: %s", async (loginHint, isPutIn) => {
  const { body } = await get({ pending: { ...signInRequest, loginHint } });
  expect(body.includes(' value="')).toBe(true);
  expect(/name="email"[^>]* value=/.test(body)).toBe(isPutIn);
});

test("a new account signs its person in", async () => {
  const answer = await post({}, "create-account", { name: "Alice", ...pair });
  expect(answer).toMatchObject({ status: 303, headers: { location: "/auth/uid-1?signed-in=alice-id" } });
});

test.each<[error: Error, status: number, sentence: string, field: string]>([
  [new AppError("ACCOUNT_EMAIL_TAKEN"), 409, "An account with this email exists already.", "email"],
  [new AccountFieldInvalidError("email"), 400, "Enter your full email address", "email"],
  [new AccountFieldInvalidError("name"), 400, "Use at most 200 letters", "name"],
  [
    new PasswordUnacceptableError({ fault: "too_short", charactersMin: 15 }),
    400,
    "Use at least 15 characters.",
    "password",
  ],
  [new PasswordUnacceptableError({ fault: "too_long" }), 400, "This password is too long.", "password"],
  [new PasswordUnacceptableError({ fault: "too_common" }), 400, "Many people use this password", "password"],
  [
    new PasswordUnacceptableError({ fault: "own_words" }),
    400,
    "This password is made of your own name or email.",
    "password",
  ],
])("registration that fails with %s answers %d beside the field", async (error, status, sentence, field) => {
  const accounts: Partial<Accounts> = { register: refuseWith(error) };
  const answer = await post({ accounts }, "create-account", { name: "Alice", ...pair });
  expect(answer.status).toBe(status);
  expect(answer.body).toContain(`<a href="#${field}">${sentence}`);
  expect(answer.body).not.toContain(pair.password);
});

test("a weak password comes back with its strength and what makes it weak, beside the field that it describes", async () => {
  const strength = { level: 1, weaknesses: ["name", "date"] } as const;
  const accounts = { register: refuseWith(new PasswordUnacceptableError({ fault: "too_weak", strength })) };
  const { body } = await post({ accounts }, "create-account", { name: "Alice", ...pair });
  expect(body).toContain('aria-describedby="password-hint password-error password-strength"');
  expect(body).toMatch(/Strength: <b>very weak<\/b>/);
  expect(body).toMatch(/Names of people are tried early\.<\/li><li>Dates and years are tried early\./);
  expect(body).toContain("At least 12 characters.");
});

test("closed registration has no link and no page", async () => {
  const scene: Scene = { registration: "closed" };
  expect((await get(scene)).body).not.toContain("create-account");
  expect(await get(scene, "/interaction/uid-1/create-account")).toMatchObject({ status: 404 });
  expect(await post(scene, "create-account", { name: "Alice", ...pair })).toMatchObject({ status: 404 });
  const asked = await get({ ...scene, pending: { ...signInRequest, page: "create-account" } });
  expect(asked.body).toContain('autocomplete="current-password"');
});

test("the consent page says in plain words who asks for what", async () => {
  const scopes = [{ name: "orders:read", description: "Read your orders" }];
  const access = {
    identityScopes: ["profile", "email", "offline_access", "shoe_size"],
    resources: [{ identifier: "https://api.example.com", name: "Shop API", scopes }],
  };
  const { body } = await get({ pending: { ...consentRequest, access } });
  for (const words of ["Shop is asking to", "See your name", "alice@example.com", "Stay connected", "shoe_size"]) {
    expect(body).toContain(words);
  }
  expect(body).toMatch(/Read your orders<\/h3><p>At Shop API/);
});

test.each([
  ["allow", "https://shop.example.com/callback?code=1"],
  ["deny", "https://shop.example.com/callback?error=access_denied"],
])("the decision to %s goes back to the app", async (decision, location) => {
  const answer = await post({ pending: consentRequest }, "consent", { decision });
  expect(answer).toMatchObject({ status: 303, headers: { location } });
});

test("no decision is not a consent", async () => {
  expect(await post({ pending: consentRequest }, "consent", {})).toMatchObject({ status: 400 });
  expect(await post({ pending: consentRequest }, "consent", { decision: "yes" })).toMatchObject({ status: 400 });
});

test("a disabled account is asked for no consent", async () => {
  const accounts: Partial<Accounts> = { find: async () => ({ ...alice, disabledAt: new Date(0) }) };
  const answer = await get({ pending: consentRequest, accounts });
  expect(answer).toMatchObject({ status: 303, headers: { location: "/auth?as=another-account" } });
});

test("whoever is someone else starts the same request again", async () => {
  const answer = await post({ pending: consentRequest }, "switch", {});
  expect(answer).toMatchObject({ status: 303, headers: { location: "/auth?as=another-account" } });
});

test.each(["sign-in", "create-account", "consent", "switch"])(
  "a form of /%s without its token changes nothing [ASVS 3.5.1]",
  async (step) => {
    const calls: string[] = [];
    const record = (name: string) => () => Promise.reject(new Error(String(calls.push(name))));
    const accounts = { signIn: record("signIn"), register: record("register") };
    const fields = { name: "A", ...pair, decision: "allow", csrf: "forged" };
    const answer = await post({ accounts, pending: consentRequest }, step, fields);
    expect(answer.status).toBe(403);
    expect(answer.body).toContain('href="/interaction/uid-1?r=restart-1"');
    expect(calls).toEqual([]);
  },
);

test.each(["sign-in", "create-account"])("going back to /%s after signing in leads on to the consent", async (step) => {
  const location = "/interaction/uid-1?r=restart-1";
  const scene: Scene = { pending: consentRequest };
  expect(await get(scene, `/interaction/uid-1/${step}`)).toMatchObject({ status: 303, headers: { location } });
  expect(await post(scene, step, { name: "A", ...pair })).toMatchObject({ status: 303, headers: { location } });
});

test.each(["consent", "switch"])("reloading /%s leads to the page", async (step) => {
  const answer = await get({}, `/interaction/uid-1/${step}`);
  expect(answer).toMatchObject({ status: 303, headers: { location: "/interaction/uid-1?r=restart-1" } });
});

const gone: Scene = { pending: undefined };

test("an interaction that is over offers to continue with one click", async () => {
  for (const answer of [await get(gone), await post(gone, "sign-in", pair)]) {
    expect(answer.status).toBe(400);
    expect(answer.body).toContain('<body class="gate open">');
    expect(answer.body).toContain('<a class="btn" href="/interaction/restart?r=restart-1">Continue to Shop</a>');
    expect(answer.body).toMatch(/<code>[2-9B-Z]{4}-[2-9B-Z]{4}<\/code>/);
  }
});

test("the restart token may come as a hidden field", async () => {
  const body = new URLSearchParams({ r: "restart-1" }).toString();
  const answer = await ask(gone, { method: "POST", path: "/interaction/uid-1/consent", body });
  expect(answer.body).toContain("Continue to Shop");
});

test("without a token that we made it offers the way to the account", async () => {
  for (const path of ["/interaction/uid-1", "/interaction/uid-1?r=forged", "/interaction/uid-1?r=a&r=restart-1"]) {
    const { status, body } = await get(gone, path);
    expect(status).toBe(400);
    expect(body).toContain('<a class="btn" href="/account">');
  }
});

test("a restart token begins the request again; anything else gets a page", async () => {
  const restarted = await get(gone, "/interaction/restart?r=restart-1");
  expect(restarted).toMatchObject({ status: 303, headers: { location: "/auth?again" } });
  expect(await get(gone, "/interaction/restart?r=forged")).toMatchObject({ status: 404 });
  expect(await get(gone, "/interaction/restart")).toMatchObject({ status: 404 });
});

test.each([new AppError("INTERACTION_EXPIRED"), Object.assign(new Error("over"), { name: "SessionNotFound" })])(
  "an interaction that ends while its form is read (%s) is no dead end",
  async (error) => {
    const accounts: Partial<Accounts> = { signIn: refuseWith(error) };
    expect((await post({ accounts }, "sign-in", pair)).body).toContain("Continue to Shop");
  },
);

test("another method is a 405 page", async () => {
  const answer = await ask({}, { method: "PUT", path: "/interaction/uid-1" });
  expect(answer).toMatchObject({ status: 405, headers: { allow: "HEAD, GET" } });
  expect(answer.body).toContain("That can’t be done here");
});

test("a logo is shown from https, and the policy lets in its host alone", async () => {
  const logoUri = "https://cdn.example.com/logo.png";
  const shown = await get({ pending: { ...signInRequest, client: { ...shopWeb, logoUri } } });
  expect(shown.body).toContain(`<img src="${logoUri}"`);
  expect(shown.headers["content-security-policy"]).toContain("img-src 'self' data: https://cdn.example.com;");
  const plain = await get({
    pending: { ...signInRequest, client: { ...shopWeb, logoUri: "http://cdn.example.com/1" } },
  });
  expect(plain.body).not.toContain("cdn.example.com");
});

test.each([
  ["/interaction/uid-1/sign-in", "current-password"],
  ["/interaction/uid-1/create-account", "new-password"],
])(
  "%s takes passwords that are pasted or filled in by a manager, unseen [ASVS 6.2.6, 6.2.7]",
  async (path, autocomplete) => {
    const { body } = await get({}, path);
    expect(body).toMatch(new RegExp(`<input[^>]* type="password" autocomplete="${autocomplete}"`));
    expect(body).not.toMatch(/onpaste|oncopy|maxlength="\d{1,2}"[^>]*type="password"/);
  },
);
