import { sql } from "kysely";
import { decodeJwt, decodeProtectedHeader } from "jose";
import { expect } from "vitest";
import { askNode } from "../../support/raw-http.ts";
import { signInAs, submitSignIn } from "../../support/journeys.ts";
import { addPerson, openBrowser, type Scene } from "./scene.ts";

type Way = (scene: Scene) => Promise<unknown>;

const first = ({ deployment }: Scene) => deployment.nodes()[0];
const sessionIdOf = (jwt: string): string => String(decodeJwt(jwt)["sid"]);

/** How each line of the table comes about. */
export const WAYS: Readonly<Record<string, Way>> = {
  async "a sign-out at the account page"(scene) {
    const { browser } = scene.atShop;
    const page = await browser.open(`${first(scene).issuer}/account`);
    await browser.submit(page, page.formWith("csrf"));
  },
  async "a sign-out that an app asked for"({ deployment, atShop: { browser, idToken } }) {
    const url = new URL(deployment.world.server.end_session_endpoint ?? "");
    url.searchParams.set("id_token_hint", idToken);
    const page = await browser.open(url);
    await browser.submit(page, page.formWith("xsrf"), { button: /^Sign out$/ });
  },
  async "somebody else's sign-in in her browser"({ deployment, calendar, atShop: { browser } }) {
    const page = await browser.open((await calendar.party.begin({ prompt: "login" })).url);
    await submitSignIn(browser, page, await addPerson(deployment, "Carol"));
  },
  async "the limit of sessions"(scene) {
    // She has two, and may have three.
    for (const browser of [openBrowser(), openBrowser()]) {
      expect((await signInAs(browser, scene.alice, first(scene).issuer)).url.pathname).toBe("/account");
    }
  },
  "herself, from elsewhere": (scene) => endOne(scene, "ended_by_person"),
  "session end": (scene) => endOne(scene, "ended_by_operator"),
  "a password that she changed elsewhere": (scene) =>
    first(scene).sessions.endOthers(scene.aliceId, sessionIdOf(scene.elsewhere.jwt), "password_changed"),
  "a sign-out everywhere": (scene) => first(scene).sessions.endAll(scene.aliceId, "ended_by_person"),
  "a password that was reset": (scene) => first(scene).sessions.endAll(scene.aliceId, "password_reset"),
  "revoke --account": (scene) => first(scene).sessions.endAll(scene.aliceId, "revoked_by_operator"),
  "a disabled account": (scene) => first(scene).accounts.disable(scene.aliceId),
  async "a deleted account"(scene) {
    const { sessions, database } = first(scene);
    await sessions.endAll(scene.aliceId, "account_deleted");
    await sql`delete from accounts where id = ${scene.aliceId}`.execute(database.db);
  },
  async "a refresh token that was used twice"({ shop: { party }, atShop: { refresh } }) {
    const next = await party.refresh(refresh);
    await party.refresh(next.refreshToken);
    expect((await party.requestRefresh(refresh)).status).toBe(400);
  },
  async "a code that was used twice"({ shop: { party }, atShop: { spent } }) {
    expect((await party.redeem(spent.request, spent.callback)).status).toBe(400);
  },
  "a refresh token that was given back": ({ shop: { party }, atShop: { refresh } }) => party.revoke(refresh),
  "a JWT that was given back": ({ shop: { party }, atShop: { jwt } }) => party.revoke(jwt),
  "a consent that she withdrew": (scene) => first(scene).sessions.withdrawConsent(scene.aliceId, scene.shop.caller.id),
  "a client that was removed": (scene) => first(scene).clients.removeClient(scene.shop.caller.id),
  async "a secret that was rotated and revoked"(scene) {
    const { id } = scene.shop.caller;
    // It goes on with the new one, and so finds out what its tokens are worth.
    scene.shop.caller = { id, secret: (await first(scene).clients.rotateSecret(id, "revoke")).secret };
  },
  "revoke --client": (scene) => first(scene).clients.revokeGrants(scene.shop.caller.id),
  async "a signing key that was withdrawn"(scene) {
    const { kid = "" } = decodeProtectedHeader(scene.atShop.jwt);
    const { withdrawn } = await first(scene).signingKeys.replace({ nextToo: false });
    expect(withdrawn).toContain(kid);
    // Until then another node may sign with a key that nobody trusts any more.
    for (const { settings, issuer } of scene.deployment.nodes()) {
      const headers = { host: new URL(issuer).host };
      const jwks = async () => (await askNode(`http://127.0.0.1:${settings.PORT}/jwks`, { headers })).body;
      await expect.poll(jwks, { interval: 5 }).toMatch(new RegExp(`^(?!.*${kid}).*"kid"`));
    }
  },
  "revoke --all": (scene) => first(scene).sessions.endEverybodys("revoked_by_operator"),
};

async function endOne(scene: Scene, reason: "ended_by_person" | "ended_by_operator"): Promise<void> {
  await first(scene).sessions.end(scene.aliceId, sessionIdOf(scene.atShop.jwt), reason);
}
