import { alice, bob, ordersApi } from "./cast.ts";
import { decideConsent, submitSignIn } from "./journeys.ts";
import { errorOf } from "./relying-party.ts";
import { openWallet, type World } from "./world.ts";

/** Goes through everything once, mistakes included; returns every value that no log, metric or span may hold. */
export async function walkThrough(through: World): Promise<readonly string[]> {
  const { shopWeb, notesWeb, deskBasic, deskKey, billingApi, bankWeb } = through.apps;
  const { issuer } = through.latchkey;
  const browser = through.openBrowser();
  const wrong = "wrong-but-typed-password";
  const request = await shopWeb.begin({ scope: "openid profile email orders:read", login_hint: alice.email });
  const signIn = await browser.open(request.url);
  await submitSignIn(browser, signIn, { email: alice.email, password: wrong });
  const consent = await submitSignIn(browser, signIn, alice);
  const callback = (await decideConsent(browser, consent, "Allow")).url;
  const shop = await shopWeb.complete(request, callback);
  const shopAgain = await shopWeb.refresh(shop.refreshToken);
  await errorOf(shopWeb.complete(request, callback));
  const notes = await notesWeb.signIn(browser, alice);
  await notesWeb.userInfo(notes.accessToken, notes.claims.sub);
  await errorOf(notesWeb.userInfo(`${notes.accessToken}x`, notes.claims.sub));
  const desk = await deskBasic.signIn(browser, alice);
  await deskBasic.introspect(desk.accessToken);
  await deskBasic.revoke(desk.refreshToken);
  const key = await deskKey.signIn(browser, alice);
  const pushed = await bankWeb.beginPushed();
  const bank = await bankWeb.complete(pushed, (await browser.open(pushed.url)).url);
  const { app: wallet } = await openWallet(through);
  const bound = await wallet.signIn(browser, alice, { scope: "openid orders:read" });
  const service = (await (await billingApi.requestClientCredentials({ resource: ordersApi.identifier })).json()) as {
    access_token: string;
  };
  const offline = await shopWeb.signIn(through.openBrowser(), bob, {
    scope: "openid offline_access",
    prompt: "consent",
  });
  const cookies = browser.jar.list().map(({ value }) => value);
  await browser.open(`${issuer}/authorize?client_id=nobody&redirect_uri=https://mallory.example.com`);
  await browser.open(`${issuer}/interaction/restart?r=garbage`);
  const registration = await through.openBrowser().open(`${issuer}/create-account`);
  await through.openBrowser().submit(registration, registration.formWith("name"), { values: { ...bob } });
  const account = await browser.open(`${issuer}/account`);
  await browser.submit(account, account.formWith("csrf"));

  const tokens = [shop, shopAgain, notes, desk, key, bank, bound, offline].flatMap((one) => [
    one.accessToken,
    one.refreshToken,
    one.idToken,
  ]);
  return [
    ...tokens,
    service.access_token,
    ...cookies,
    ...through.secrets.values(),
    ...[alice, bob].flatMap(({ email, password, name }) => [email, password, name]),
    wrong,
    callback.searchParams.get("code") ?? "",
    request.state,
    request.nonce,
    request.verifier,
    signIn.url.searchParams.get("r") ?? "",
    pushed.url.searchParams.get("request_uri") ?? "",
    String(through.latchkey.settings.LATCHKEY_SECRET),
  ].filter((secret) => secret.length >= 8);
}
