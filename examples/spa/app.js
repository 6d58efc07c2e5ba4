/** The page around `sign-in.js`: what to show, and what each button does. */
import { decodeJwt, SignIn } from "./sign-in.js";

const element = (id) => document.getElementById(id);
const { issuer, clientId, scope, apiUrl } = await (await fetch("/config.json")).json();

let signIn;
/** What to ask the sign-in page for, so that the API does what it refused. */
let wayOn;

/** What can be gone on with after a trip to the sign-in page. Only what is on this list is done. */
const TASKS = { order: placeOrder, refund: ({ number }) => refund(number) };

const NOTICES = {
  denied: "You didn't allow it, so this app can't show your orders. Nothing was shared.",
  stopped: "You stopped before the end, so nothing was ordered or refunded. Your orders are as they were.",
  "not-sure-enough":
    "The shop needs more than your account can prove yet, so nothing was refunded. Set up a second factor on your account page, then try again.",
  "unknown-request": "That sign-in was used before or wasn't started in this tab. Start again, it takes one click.",
  failed: "The sign-in didn't work. Start again, it takes one click.",
  ended: "Your sign-in has ended. Sign in to go on.",
  unreachable: "The sign-in server can't be reached right now. Load this page again in a moment.",
};

await start();

async function start() {
  element("issuer").textContent = new URL(issuer).host;
  element("api-page").href = apiUrl;
  element("account-page").href = `${issuer}/account`;
  connectButtons();
  show("loading");
  const url = new URL(location.href);
  const wasSignedIn = history.state?.wasSignedIn === true;
  // The code leaves the address bar and the history at once: nobody can bookmark it or come back to it.
  if (url.pathname === "/callback") history.replaceState(null, "", "/");

  try {
    signIn = await SignIn.connect({
      issuer,
      clientId,
      scope,
      redirectUri: `${location.origin}/callback`,
      postLogoutRedirectUri: `${location.origin}/`,
    });
  } catch (error) {
    console.error(error);
    return showSignedOut("unreachable");
  }

  if (url.pathname !== "/callback") return showSignedOut(undefined, wasSignedIn);
  const { outcome, task } = await signIn.complete(url);
  if (outcome === "signed-in") return showSignedIn(task);
  // "Continue" found no session to continue. Asking the person again for a click would teach nothing.
  if (outcome === "needs-a-page") return signIn.begin();
  // Who was in the midst of something is still signed in at Latchkey, and can continue.
  if (outcome === "denied" && task) return showSignedOut("stopped", true);
  return showSignedOut(outcome, outcome === "not-sure-enough");
}

function connectButtons() {
  const buttons = {
    "sign-in": () => signIn.begin(history.state?.wasSignedIn ? { prompt: "none" } : {}),
    "load-orders": loadOrders,
    "place-order": placeOrder,
    "go-on": () => signIn.begin(wayOn),
    "revoke-now": revokeNow,
    "call-api": callApiOnce,
    refresh: refreshTokens,
    "sign-out": () => {
      history.replaceState(null, "", "/");
      signIn.signOut();
    },
  };
  for (const [id, action] of Object.entries(buttons)) {
    element(id).addEventListener("click", (event) => void runOnce(event.currentTarget, action));
  }
  // The browser may bring this page back from its memory (back button) just as it was left, tokens and all. After a
  // sign-out, that would show somebody's orders.
  addEventListener("pageshow", (event) => {
    if (event.persisted && !signIn?.tokens) showSignedOut();
  });
}

/** One press, one action: a second press while the first is under way does nothing. */
async function runOnce(button, action) {
  // Not `disabled`, which would take the focus away from whoever uses the keyboard.
  if (button.getAttribute("aria-disabled") === "true") return;
  button.setAttribute("aria-disabled", "true");
  try {
    await action();
  } catch (error) {
    console.error(error);
    notify("unreachable");
  } finally {
    button.removeAttribute("aria-disabled");
  }
}

async function loadOrders() {
  report("orders-status", "Loading");
  const answer = await signIn.callApi(`${apiUrl}/orders`);
  if (answer.outcome === "ok") {
    element("orders").replaceChildren(...answer.body.orders.map(orderRow));
    // The call may have refreshed them.
    showTokens();
    return report("orders-status", "");
  }
  explain(answer);
}

async function placeOrder() {
  report("orders-status", "Ordering");
  const answer = await signIn.callApi(`${apiUrl}/orders`, "POST");
  if (answer.outcome === "ok") await loadOrders();
  else explain(answer, { name: "order" });
}

/** For this the API wants a second factor, given in the last ten minutes. The app need not know: it does what it is told. */
async function refund(number) {
  report("orders-status", "Asking for the money back");
  const answer = await signIn.callApi(`${apiUrl}/orders/${number}/refund`, "POST");
  if (answer.outcome !== "ok") return explain(answer, { name: "refund", number });
  await loadOrders();
  report("orders-status", `Order ${number} was refunded.`);
}

/**
 * What the API refused, and the one thing that the person can do about it: a button that leads there. The app does not
 * leave by itself, so that nobody is sent around in circles by an API that is never content.
 */
function explain(answer, task) {
  if (answer.outcome === "signed-out") return showSignedOut("ended");
  if (answer.outcome === "needs-scope") {
    return offerWayOn({
      sentence: `The shop wants to know that you allow this app to do that (${answer.scope}).`,
      button: "Ask for that permission",
      request: { extraScope: answer.scope, task },
    });
  }
  if (answer.outcome === "needs-proof") {
    return offerWayOn({
      sentence:
        "The shop wants to be sure that it's you: with a second factor, and not too long ago. Then the refund goes on.",
      button: "Confirm that it's you",
      request: { acrValues: answer.acrValues, maxAgeSeconds: answer.maxAgeSeconds, task },
    });
  }
  report("orders-status", "The shop doesn't answer. Try again.");
}

function offerWayOn({ sentence, button, request }) {
  wayOn = request;
  element("go-on").textContent = button;
  element("go-on").hidden = false;
  element("place-order").hidden = true;
  report("orders-status", sentence);
}

/** Ends the token, and leaves it in place: `Call the API` shows what it is worth from now on. */
async function revokeNow() {
  report("revocation-status", "Revoking");
  await signIn.revokeAccessToken();
  report("revocation-status", `Revoked at ${new Date().toLocaleTimeString()}. Now call the API with it.`);
}

/** Calls the API with the token as it is, without the refresh that an app would try, and shows the answer's code. */
async function callApiOnce() {
  report("revocation-status", "Calling");
  const answer = await signIn.callApiOnce(`${apiUrl}/orders`);
  if (answer.outcome === "signed-out") return showSignedOut("ended");
  const { status = 403, error = "insufficient_scope", description = "" } = answer;
  report(
    "revocation-status",
    answer.outcome === "ok"
      ? `${status}: the API accepted the token.`
      : `${status} ${error}: the API refused the token${description ? ` (${description})` : ""}.`,
  );
}

async function refreshTokens() {
  // Without a refresh token the session at the sign-in server can still give new ones, without asking anything.
  if (!signIn.tokens?.refreshToken) {
    await signIn.begin({ prompt: "none" });
  } else if (await signIn.refresh()) {
    showTokens();
    report("tokens-status", `New tokens at ${new Date().toLocaleTimeString()}.`);
  } else {
    showSignedOut("ended");
  }
}

function orderRow({ number, item, status }) {
  const row = document.createElement("li");
  const title = document.createElement("h3");
  // textContent, never innerHTML: what an API says is text.
  title.textContent = item;
  const detail = document.createElement("p");
  detail.textContent = `Order ${number}, ${status}`;
  row.append(title, detail);
  if (status !== "refunded") row.append(refundButton(number));
  return row;
}

function refundButton(number) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "btn quiet";
  button.textContent = "Get a refund";
  button.setAttribute("aria-label", `Get a refund for order ${number}`);
  button.addEventListener("click", () => void runOnce(button, () => refund(number)));
  return button;
}

async function showSignedIn(task) {
  // Survives a reload and tells nobody anything: after it, the page offers to continue.
  history.replaceState({ wasSignedIn: true }, "", "/");
  const { payload } = decodeJwt(signIn.tokens.idToken);
  element("person").textContent = payload.name ?? payload.email ?? "again";
  showTokens();
  show("signed-in");
  await loadOrders();
  if (task && Object.hasOwn(TASKS, task.name)) await TASKS[task.name](task);
}

function showTokens() {
  const { accessToken, idToken, scope: granted } = signIn.tokens;
  const decoded = decodeJwt(accessToken);
  element("access-token").textContent = decoded
    ? JSON.stringify(decoded, null, 2)
    : "Opaque: only the server reads it.";
  element("id-token").textContent = JSON.stringify(decodeJwt(idToken), null, 2);
  report("tokens-status", `This app may: ${granted}`);
}

function showSignedOut(reason, canContinue = false) {
  history.replaceState(canContinue ? { wasSignedIn: true } : null, "", "/");
  element("sign-in").textContent = canContinue ? "Continue" : reason ? "Start again" : "Sign in";
  element("invitation").textContent = canContinue
    ? "Leaving the page dropped your tokens, as it should. Continue where you were, without typing anything."
    : "Sign in with Latchkey. It asks you first what this app may see.";
  show("signed-out");
  notify(reason);
}

function notify(reason) {
  element("notice").hidden = !reason;
  element("notice").textContent = reason ? NOTICES[reason] : "";
}

function report(id, text) {
  element(id).textContent = text;
}

function show(view) {
  notify(undefined);
  for (const id of ["loading", "signed-out", "signed-in"]) element(id).hidden = id !== view;
  document.body.classList.toggle("open", view !== "signed-in");
}
