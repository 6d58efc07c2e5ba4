import type { SentRequest, Tokens } from "../../support/relying-party.ts";
import { startTimeTravel } from "../../support/time-travel.ts";
import type { Place } from "./places.ts";
import { follow, type Means, type Walk } from "./walk.ts";

/** At the app again, with a code or an error; or with tokens already. */
export type Arrival = { readonly request: SentRequest; readonly url: URL } | { readonly tokens: Promise<Tokens> };

export type Path = (place: Place, walk: Walk) => Promise<Arrival>;

type Parameters = Readonly<Record<string, string>>;

const MFA = "urn:latchkey:acr:mfa";
const ESSENTIAL = JSON.stringify({ id_token: { acr: { essential: true, value: "phr" } } });
const SCOPE = "openid profile email orders:read";

/** How each line of the table is walked. */
export const PATHS: Readonly<Record<string, Path>> = {
  "password, and an added app": by("app"),
  "password, and an added passkey": by("passkey"),
  "password, and a code": by("app"),
  "password, and a recovery code": by("recovery code"),
  "password, and a passkey": by("passkey"),
  "password, and a recovery code for a passkey": by("recovery code"),
  passkey: by("passkey alone"),
  "created account, and an added app": by("app", { prompt: "create" }),
  "created account, and an added passkey": by("passkey", { prompt: "create" }),
  "browser that is trusted": on(trusted, { prompt: "login" }),
  "consent in between": (place, walk) => go({ ...place, app: place.stranger }, walk),
  async "pushed request"({ app }, walk) {
    return arrive(walk, await app.beginPushed({ scope: SCOPE }));
  },
  "acr_values=pwd": asking({ acr_values: "urn:latchkey:acr:pwd" }),
  "acr_values=mfa": asking({ acr_values: MFA }),
  async "acr_values=mfa, pushed"({ app }, walk) {
    return arrive(walk, await app.beginPushed({ scope: SCOPE, acr_values: MFA }));
  },
  "acr_values=phr": asking({ acr_values: "phr" }),
  "the essential claim acr=phr": asking({ claims: ESSENTIAL }),
  "page on a session by password": on(byPassword),
  "page on a session with a code": on(byCode),
  "prompt=login on a session with a code": on(byCode, { prompt: "login" }),
  async "max_age on a session with a code"(place, walk) {
    await byCode(place, walk);
    startTimeTravel().advanceSeconds(61);
    return go(place, walk, { max_age: "60" });
  },
  "prompt=none on a session by password": on(byPassword, { prompt: "none" }),
  async "prompt=none on a session by password, trusted"(place, walk) {
    await trusted(place, walk);
    await go({ ...place, app: place.lenient }, walk, { prompt: "login" });
    return go(place, walk, { prompt: "none" });
  },
  "prompt=none on a session with a code": on(byCode, { prompt: "none" }),
  "prompt=none on a session by passkey": on(byPasskey, { prompt: "none" }),
  "prompt=none, acr_values=mfa on one by password": on(byPassword, { prompt: "none", acr_values: MFA }),
  async refresh(place, walk) {
    const arrival = await go(place, walk);
    if ("tokens" in arrival) return arrival;
    const { refreshToken } = await place.app.complete(arrival.request, arrival.url);
    return { tokens: place.app.refresh(refreshToken) };
  },
  async "refresh token from when the policy was off"(place, walk) {
    const { app, settle } = await place.addUnsettled();
    const { refreshToken } = await app.signIn(walk.browser, walk.person, { scope: SCOPE });
    await settle();
    return { tokens: app.refresh(refreshToken) };
  },
  async "code from when the policy was off"(place, walk) {
    const { app, settle } = await place.addUnsettled();
    const request = await app.begin({ scope: SCOPE });
    const { url } = await follow(walk, await walk.browser.open(request.url));
    await settle();
    return { tokens: app.complete(request, url) };
  },
  async "page from when the policy was off"(place, walk) {
    const { app, settle } = await place.addUnsettled();
    const request = await app.begin({ scope: SCOPE });
    const page = await walk.browser.open(request.url);
    await settle();
    // By the policy from before it is signed in then, and asked for what is missing.
    const { url } = await follow(walk, await follow({ ...walk, pagesMax: 1 }, page));
    return { tokens: app.complete(request, url) };
  },
};

function by(means: Means, parameters: Parameters = {}): Path {
  return (place, walk) => go(place, { ...walk, means }, parameters);
}

function asking(parameters: Parameters): Path {
  return (place, walk) => go(place, walk, parameters);
}

/** In a browser with a session, or a past. */
function on(begin: (place: Place, walk: Walk) => Promise<unknown>, parameters: Parameters = {}): Path {
  return async (place, walk) => {
    await begin(place, walk);
    return go(place, walk, parameters);
  };
}

async function go({ app }: Pick<Place, "app">, walk: Walk, parameters: Parameters = {}): Promise<Arrival> {
  return arrive(walk, await app.begin({ scope: SCOPE, ...parameters }));
}

async function arrive(walk: Walk, request: SentRequest): Promise<Arrival> {
  const { url } = await follow(walk, await walk.browser.open(request.url));
  return { request, url };
}

// Sessions begin at an app that asks for nothing, or for what it says.

function byPassword({ lenient }: Place, walk: Walk): Promise<Arrival> {
  return go({ app: lenient }, walk);
}

function byCode({ lenient }: Place, walk: Walk): Promise<Arrival> {
  return go({ app: lenient }, walk, { acr_values: MFA });
}

function byPasskey({ lenient }: Place, walk: Walk): Promise<Arrival> {
  return go({ app: lenient }, { ...walk, means: "passkey alone" });
}

function trusted({ trusting }: Place, walk: Walk): Promise<Arrival> {
  return go({ app: trusting }, { ...walk, trusts: true });
}
