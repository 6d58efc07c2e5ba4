import type { Context } from "koa";
import { expect, test } from "vitest";
import { askApp, type TestAnswer } from "../http/test-server.ts";
import { createTestToolkit } from "../http/test-toolkit.ts";
import type { PendingInteraction, RequestingClient } from "../oidc/index.ts";
import { createInteractionRoutes } from "./interaction-routes.ts";
import { createProtocolPages } from "./protocol-pages.ts";
import { alice, createFakeInteractions, shopWeb, signInRequest } from "./test-cast.ts";
import { withoutFactors } from "../../test/support/factors.ts";
import { withoutMail } from "../../test/support/without-mail.ts";

const PAYLOADS = [
  `<script>alert(1)</script>`,
  `"><img src=x onerror=alert(1)>`,
  `' autofocus onfocus=alert(1) x='`,
  `</title><svg onload=alert(1)>`,
  `**{client}**<b>`,
  `<%= it.brand %>`,
];

/** A request in which every text that somebody else chose is the payload. */
function poisoned(payload: string, page: PendingInteraction["page"]): PendingInteraction {
  const client: RequestingClient = {
    ...shopWeb,
    name: payload,
    host: payload,
    homeUri: `javascript:alert(1)//${payload}`,
    logoUri: `https://cdn.example.com/${payload}`,
    policyUri: `javascript:alert(1)//${payload}`,
    termsUri: `data:text/html,${payload}`,
  };
  const scopes = [{ name: payload, description: payload }];
  return {
    ...signInRequest,
    page,
    client,
    accountId: alice.id,
    isReauthentication: true,
    loginHint: `${payload.replaceAll(/\s/g, "")}@example.com`,
    uiLocales: [payload],
    access: {
      identityScopes: ["profile", "email", payload],
      resources: [{ identifier: payload, name: payload, scopes }],
    },
    redirectUri: payload,
    restartToken: payload,
  };
}

const accountOf = (payload: string) => ({ ...alice, name: payload, email: payload });

function pagesFor(payload: string, page: PendingInteraction["page"]) {
  const { around, ...toolkit } = createTestToolkit();
  const interactions = createFakeInteractions(poisoned(payload, page));
  const accounts = {
    find: async () => accountOf(payload),
    read: async () => accountOf(payload),
    signIn: async () => ({ outcome: "refused" }) as const,
    register: async () => accountOf(payload),
    byMail: withoutMail,
  };
  const clientAddress = () => payload;
  const own = { interactions, accounts, registration: "open", verifiesEmail: false, clientAddress } as const;
  const routes = createInteractionRoutes({ ...toolkit, ...withoutFactors, ...own });
  return { middlewares: [...around, routes], csrf: toolkit.csrf.token("uid-1") };
}

/** By its whole address, which nothing of a payload can reach. */
const OWN_SCRIPT = /<script src="\/assets\/(?:simplewebauthn|passkey)\.js\?v=[\w-]{16}" defer><\/script>/g;

/** Tags as a browser sees them, without the values of their attributes: `>` cannot stand in a value that is escaped. */
const tagsOf = (html: string): readonly string[] =>
  [...html.matchAll(/<[a-z!/][^>]*>/gi)].map(([tag]) => tag.replaceAll(/"[^"]*"/g, '""'));

/** Everything about an answer that would let the payload be more than text; empty when all is well. */
function dangersIn({ body, headers }: TestAnswer, payload: string): readonly string[] {
  const policy = String(headers["content-security-policy"]);
  return [
    ...(body.includes("<main") ? [] : ["no page"]),
    ...(body.includes(payload) ? ["the payload as it is"] : []),
    ...tagsOf(body.replaceAll(OWN_SCRIPT, "")).filter((tag) => /^script|\son\w+=|src=x|['<]/i.test(tag.slice(1))),
    ...(body.match(/(?:href|src|action)="(?:javascript|data):[^"]*/gi) ?? []),
    ...(/script>|alert/.test(policy) ? [policy] : []),
  ];
}

const pages = ["sign-in", "create-account", "consent"] as const;
const cases = PAYLOADS.flatMap((payload) => pages.map((page) => [page, payload] as const));

test.each(cases)("on the %s page %j is only ever text", async (page, payload) => {
  const { middlewares } = pagesFor(payload, page);
  const answer = await askApp(middlewares, { path: "/interaction/uid-1", headers: { accept: "text/html" } });
  expect(dangersIn(answer, payload)).toEqual([]);
});

test.each(PAYLOADS)("what was typed comes back as text: %j", async (payload) => {
  const { middlewares, csrf } = pagesFor(payload, "sign-in");
  for (const step of ["sign-in", "create-account"]) {
    const body = new URLSearchParams({ csrf, name: payload, email: payload, password: "" }).toString();
    const sent = { method: "POST", path: `/interaction/uid-1/${step}`, body, headers: { accept: "text/html" } };
    expect(dangersIn(await askApp(middlewares, sent), payload)).toEqual([]);
  }
});

test.each(PAYLOADS)("the protocol's pages show %j as text", async (payload) => {
  const { around, views, failurePages } = createTestToolkit();
  const protocolPages = createProtocolPages({
    views,
    failurePages,
    accounts: { find: async () => accountOf(payload) },
  });
  const { client } = poisoned(payload, "sign-in");
  const signOut = {
    action: `/session/end/confirm?${payload}`,
    xsrf: payload,
    client,
    accountId: alice.id,
    returnUri: payload,
  };
  const failure = {
    error: payload,
    status: 400,
    cause: new Error(payload),
    client,
    restartUrl: `javascript:${payload}`,
  };
  const draws: readonly ((ctx: Context) => Promise<void>)[] = [
    (ctx) => protocolPages.renderSignOut(ctx, signOut),
    (ctx) => protocolPages.renderSignedOut(ctx, { client }),
    (ctx) => protocolPages.renderError(ctx, failure),
  ];
  for (const draw of draws) {
    const answer = await askApp([...around, draw], { headers: { accept: "text/html" } });
    expect(dangersIn(answer, payload)).toEqual([]);
  }
});
