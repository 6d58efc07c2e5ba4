import { describe, expect, test } from "vitest";
import {
  AWAY,
  COOKIES,
  discoveryPage,
  findingsOf,
  ISSUER,
  jwksPage,
  newDeployment,
  newKey,
  newNode,
  newPage,
  NOW_MS,
  seen,
  trouble,
} from "./deployment-fixture.ts";
import type { RunningNode } from "../nodes/index.ts";

const DAY_MS = 24 * 60 * 60 * 1_000;

function nodesWith(changes: Partial<RunningNode>) {
  return { nodes: seen([newNode("1"), newNode("2", changes)]) };
}

function settings(changes: Partial<RunningNode["settings"]>): Partial<RunningNode> {
  return { settings: { ...newNode("1").settings, ...changes } };
}

test("a deployment that is well is found to be well, by every check", () => {
  expect(trouble({})).toEqual([]);
  expect(new Set(findingsOf({}).map(({ check }) => check.split(".")[0]))).toEqual(
    new Set(
      "postgres migrations redis nodes versions configuration clocks issuer tls discovery key-set key-schedule key-cache proxies cookies mail audit webhooks".split(
        " ",
      ),
    ),
  );
});

test("what is not well says what to do", () => {
  const all = findingsOf({ nodes: AWAY, postgres: AWAY, redis: AWAY, jwks: AWAY, discovery: AWAY, signIn: AWAY });
  for (const { status, remedy = "" } of all) expect(remedy !== "").toBe(status !== "ok");
});

describe("nodes", () => {
  test("that none runs is a failure", () => {
    expect(trouble({ nodes: seen([]) })).toEqual(["failure nodes: No server runs on this database."]);
  });

  test("of several versions are told apart", () => {
    expect(trouble(nodesWith({ version: "0.2.0" }))).toEqual([
      "warning versions: Nodes are of several versions: web-1:3000 (1) runs 0.1.0 with 9.13.3; web-2:3000 (2) runs 0.2.0 with 9.13.3.",
    ]);
    expect(trouble(nodesWith({ libraryVersion: "9.14.0" }))).toHaveLength(1);
  });
});

describe("configuration", () => {
  test("a setting that differs is named, with its value on each node", () => {
    expect(trouble(nodesWith(settings({ plain: { ISSUER, REGISTRATION: "closed" } })))).toEqual([
      'failure configuration.REGISTRATION: REGISTRATION differs: the default on web-1:3000 (1); "closed" on web-2:3000 (2). What people and apps meet depends on the node that answers.',
    ]);
  });

  test("a secret that differs is named by digests", () => {
    expect(trouble(nodesWith(settings({ secret: { REDIS_URL: { old: "other" } } })))).toEqual([
      expect.stringMatching(/^failure configuration\.REDIS_URL: .*digest alike on web-1.*digest other on web-2/),
    ]);
    expect(trouble(nodesWith(settings({ secret: {} })))).toEqual([
      expect.stringMatching(/digest alike on web-1.*the default on web-2/),
    ]);
  });

  test("what each node has for itself may differ", () => {
    const plain = { ISSUER, PORT: "3001", HOST: "0.0.0.0", METRICS_PORT: "9465", DATA_DIR: "/b", MIGRATIONS: "apply" };
    expect(trouble(nodesWith(settings({ plain })))).toEqual([]);
  });

  test("what only operators notice is a warning", () => {
    expect(trouble(nodesWith(settings({ plain: { ISSUER, LOG_LEVEL: "debug" } })))).toEqual([
      expect.stringMatching(/^warning configuration\.LOG_LEVEL/),
    ]);
  });

  test("in the midst of changing LATCHKEY_SECRET the others are compared by the secret that nodes share", () => {
    const secretNames = ["new", "old"];
    expect(trouble(nodesWith(settings({ secretNames, secret: { REDIS_URL: { new: "x", old: "alike" } } })))).toEqual([
      expect.stringMatching(
        /^warning configuration\.LATCHKEY_SECRET: .*digests old on web-1.*digests new, old on web-2/,
      ),
    ]);
    expect(
      trouble(nodesWith(settings({ secretNames, secret: { REDIS_URL: { new: "x", old: "other" } } }))),
    ).toHaveLength(2);
  });

  test("nodes that share no secret fail, and others of their secrets are not said to differ", () => {
    const changed = settings({ secretNames: ["new"], secret: { REDIS_URL: { new: "x" } } });
    expect(trouble(nodesWith(changed))).toEqual([expect.stringMatching(/^failure configuration\.LATCHKEY_SECRET/)]);
  });
});

describe("clocks", () => {
  test.each([
    ["a node", nodesWith({ clockOffsetMs: 2_400 }), "web-2:3000 (2) is 2.4 s ahead"],
    ["Redis", { clocks: seen({ here: 0, redis: -2_100 }) }, "Redis is 2.1 s behind"],
    ["this machine", { clocks: seen({ here: 61_000, redis: 0 }) }, "this machine is 61.0 s ahead"],
  ])("%s that is more than two seconds off is named", (_, changes, expected) => {
    expect(trouble(changes)).toEqual([expect.stringContaining(expected)]);
  });

  test("two that are each a little off, in different directions, are too far apart", () => {
    expect(trouble({ ...nodesWith({ clockOffsetMs: 1_200 }), clocks: seen({ here: -1_100, redis: 0 }) })).toEqual([
      expect.stringMatching(/^failure clocks: Clocks are 2\.3 s apart.*this machine is 1\.1 s behind.*web-2/),
    ]);
  });

  test("two seconds are borne, with or without Redis", () => {
    expect(trouble({ ...nodesWith({ clockOffsetMs: 2_000 }), clocks: seen({ here: 0, redis: undefined }) })).toEqual(
      [],
    );
  });
});

describe("stores", () => {
  const redis = { version: "7.0.15", evictionPolicy: "noeviction", isAppendOnly: true, isWriteFailing: false };
  const alone = { ...redis, replicas: 0, needsReplica: false };

  test.each([
    [{ postgres: AWAY }, "failure postgres: Postgres does not answer (nobody answers)."],
    [{ postgres: seen({ majorVersion: 14 }) }, "failure postgres: Postgres is of version 14."],
    [{ redis: AWAY }, "failure redis: Redis does not answer (nobody answers)."],
    [{ redis: seen({ ...alone, version: "6.2.1" }) }, "failure redis: Redis is of version 6.2.1."],
    [{ redis: seen({ ...alone, evictionPolicy: "allkeys-lru" }) }, "failure redis.eviction"],
    [{ redis: seen({ ...alone, isAppendOnly: false }) }, "warning redis.persistence"],
    [{ redis: seen({ ...alone, isWriteFailing: true }) }, "failure redis.persistence"],
    [{ redis: seen({ ...alone, replicas: 1 }) }, "warning redis.failover"],
    [
      { migrations: seen({ pending: [{ name: "0009-x", locks: [], sideBySide: true }], unknown: [] }) },
      "failure migrations: The database has yet to get 0009-x.",
    ],
    [
      { migrations: seen({ pending: [], unknown: [{ name: "0099-z", sideBySide: true }] }) },
      "warning migrations: The database was used with a newer version, which added 0099-z.",
    ],
    [
      { migrations: seen({ pending: [], unknown: [{ name: "0099-z", sideBySide: false }] }) },
      "failure migrations: The database was used with a newer version, which added 0099-z. Servers of this version may not run on it, and do not start.",
    ],
  ])("case %#: %o", (changes, expected) => {
    expect(trouble(changes)).toEqual([expect.stringContaining(expected)]);
  });

  test("no Redis is fine, and so is one that refuses writes without a replica", () => {
    expect(trouble({ redis: undefined })).toEqual([]);
    expect(trouble({ redis: seen({ ...alone, replicas: 1, needsReplica: true }) })).toEqual([]);
  });
});

describe("the issuer", () => {
  test.each([
    ["does not answer", AWAY, /^failure issuer: .*does not answer this machine \(nobody answers\)/],
    ["calls itself something else", seen([discoveryPage({ issuer: "http://10.0.0.7:3000" })]), /calls itself http:/],
    ["is somebody else", seen([newPage("/", { body: "<h1>Welcome to nginx</h1>" })]), /is no authorization server/],
    ["is asked for another host", seen([discoveryPage(), newPage("/", { status: 421 })]), /421: the server is asked/],
    ["redirects", seen([newPage("/", { status: 301 })]), /answered with 301/],
  ])("%s", (_, discovery, expected) => {
    expect(trouble({ discovery })).toContainEqual(expect.stringMatching(expected));
  });

  test.each([
    [
      "names a place outside",
      [discoveryPage({ jwks_uri: "http://id.example.com/jwks" })],
      "outside the issuer: jwks_uri",
    ],
    ["is not the same twice", [discoveryPage(), discoveryPage({ scopes_supported: [] })], "differ in scopes_supported"],
  ])("a discovery document that %s", (_, pages, expected) => {
    expect(trouble({ discovery: seen(pages) })).toEqual([expect.stringContaining(`failure discovery: `)]);
    expect(trouble({ discovery: seen(pages) })[0]).toContain(expected);
  });
});

describe("keys", () => {
  test("that a node does not hold, or holds still, are named", () => {
    expect(trouble(nodesWith({ kids: ["signs", "gone"] }))).toEqual([
      "failure key-set.nodes: Nodes and the database have different keys: web-2:3000 (2) does not hold comes; web-2:3000 (2) holds gone still.",
    ]);
  });

  test("that were made a moment ago are not missed yet", () => {
    const fresh = newKey("fresh", { state: "retired", createdAt: new Date(NOW_MS - 5_000) });
    const keys = seen([newKey("signs"), newKey("comes", { state: "next" }), fresh]);
    expect(trouble({ keys })).toEqual([]);
  });

  test.each([
    [
      "a current key is missing",
      [jwksPage(["comes"])],
      /^failure key-set\.published: The current key signs is missing/,
    ],
    [
      "one node's answer lacks a key",
      [jwksPage(["signs", "comes"]), jwksPage(["signs"])],
      /The next key comes is missing/,
    ],
    ["there is one of somebody else", [jwksPage(["signs", "comes", "odd"])], /^warning key-set\.published: .* odd/],
    ["there is none", [newPage("/jwks", { body: "{}", headers: { "cache-control": "max-age=300" } })], /without keys/],
  ])("in what is published %s", (_, pages, expected) => {
    expect(trouble({ jwks: seen(pages) })).toEqual([expect.stringMatching(expected)]);
  });

  test("that nobody rotates are found", () => {
    const dueAt = new Date(NOW_MS - 61_000);
    const keys = seen([newKey("signs", { dueAt }), newKey("comes", { state: "next" })]);
    expect(trouble({ keys })).toEqual(["failure key-schedule: A step is overdue for the current ES256 key signs."]);
    expect(trouble({ keys: seen([newKey("signs")]), jwks: seen([jwksPage(["signs"])]), ...single("signs") })).toEqual([
      "failure key-schedule: ES256 has no next key.",
    ]);
  });

  test.each([
    ["public, max-age=600", /^failure key-cache: Caches may keep the key set for 600 s, and a key signs 600 s/],
    ["public, max-age=300, s-maxage=86400", /^failure key-cache: Caches may keep the key set for 86400 s/],
    ["public, max-age=599", /^warning key-cache: .* 599 s, and not for the 300 s/],
    ["no-cache", /^warning key-cache: The key set comes without a time/],
  ])("with Cache-Control: %s", (cacheControl, expected) => {
    const jwks = seen([jwksPage(["signs", "comes"]), jwksPage(["signs", "comes"], cacheControl)]);
    expect(trouble({ jwks })).toEqual([expect.stringMatching(expected)]);
  });
});

function single(kid: string) {
  return { nodes: seen([newNode("1", { kids: [kid] })]) };
}

describe("TLS", () => {
  test.each([
    ["refused", { refusal: "CERT_HAS_EXPIRED", validToMs: NOW_MS - DAY_MS }, /^failure tls: .*CERT_HAS_EXPIRED/],
    ["over soon", { refusal: undefined, validToMs: NOW_MS + 13 * DAY_MS }, /^warning tls: .* 13 days more/],
  ])("a certificate that is %s", (_, certificate, expected) => {
    expect(trouble({ certificate: seen(certificate) })).toEqual([expect.stringMatching(expected)]);
  });

  test("none is needed on this machine, and nowhere else", () => {
    const { config } = newDeployment();
    const tlsOf = (issuer: string) =>
      findingsOf({ config: { ...config, issuer }, certificate: undefined }).find(({ check }) => check === "tls")
        ?.status;
    expect(tlsOf("http://localhost:3000")).toBe("ok");
    expect(tlsOf("http://id.example.com")).toBe("failure");
  });
});

describe("proxies", () => {
  const shares = { untrusted: 0, otherHost: 0, otherProtocol: 0 };

  test.each([
    [{ untrusted: 1 }, /^failure proxies\.untrusted: 100 % of the requests to web-2:3000 \(2\) come with forwarded/],
    [{ otherHost: 0.1 }, /^warning proxies\.otherHost/],
    [{ otherProtocol: 0.5 }, /^failure proxies\.otherProtocol/],
  ])("%o", (seenShares, expected) => {
    expect(trouble(nodesWith({ proxy: { ...shares, ...seenShares } }))).toEqual([expect.stringMatching(expected)]);
  });

  test("now and then is somebody who tries", () => {
    expect(trouble(nodesWith({ proxy: { untrusted: 0.09, otherHost: 0.09, otherProtocol: 0.09 } }))).toEqual([]);
  });
});

describe("cookies", () => {
  const form = newPage("/interaction/uid", { body: "<form>" });
  const signInWith = (...setCookies: readonly string[]) => ({
    signIn: seen([newPage("/account", { status: 303, setCookies }), form]),
  });

  test.each([
    [
      "moved to another path",
      COOKIES[1].replace("path=/", "path=/auth"),
      /__Host-lk_session \(its name demands Path=\/\)/,
    ],
    ["without Secure", COOKIES[0].replace("secure; ", ""), /__Secure-lk_interaction \(its name demands Secure\)/],
    ["with a Domain", `${COOKIES[1]}; domain=example.com`, /its name forbids a Domain/],
  ])("%s are refused by browsers", (_, cookie, expected) => {
    expect(trouble(signInWith(cookie))).toEqual([expect.stringMatching(expected)]);
  });

  test("that lost HttpOnly on the way are a warning", () => {
    expect(trouble(signInWith(COOKIES[1].replace("httponly; ", "")))).toEqual([
      expect.stringMatching(/^warning cookies: .*__Host-lk_session/),
    ]);
  });

  test("that never arrive, and a page that is no form, are failures", () => {
    expect(trouble(signInWith("AWSALB=x; path=/"))).toEqual([expect.stringContaining("without our cookies")]);
    const page = newPage("/interaction/uid", { status: 400, body: "<form>" });
    expect(trouble({ signIn: seen([newPage("/account", { setCookies: COOKIES }), page]) })).toEqual([
      "failure cookies: A browser without a session ends at 400 instead of the page to sign in.",
    ]);
  });

  test("of a balancer are none of our business", () => {
    expect(trouble(signInWith(...COOKIES, "AWSALB=x; path=/"))).toEqual([]);
  });
});

describe("mail", () => {
  test.each([
    ["unauthenticated", "status_535", /does not take our credentials \(status_535\)/, /MAIL_URL/],
    ["untrusted", "etls", /no TLS that we trust/, /certificate/],
    ["unreachable", "econnrefused", /does not answer \(econnrefused\)/, /runs/],
  ] as const)("a server that is %s is a failure of its own kind", (type, reason, meaning, remedy) => {
    const found = findingsOf({ mailServer: seen({ type, reason }) }).filter(({ check }) => check === "mail");
    expect(found).toEqual([
      {
        check: "mail",
        status: "failure",
        meaning: expect.stringMatching(meaning),
        remedy: expect.stringMatching(remedy),
      },
    ]);
    expect(JSON.stringify(found)).not.toContain("secret");
  });

  test("no server at all is a warning in production, and as it should be in embedded mode", () => {
    const { config } = newDeployment();
    const off = { ...config, mail: { mode: "off", meaning: "no mail is sent" } } as const;
    expect(trouble({ config: off, mailServer: undefined })).toEqual(["warning mail: no mail is sent"]);
    const from = { name: undefined, address: "no-reply@localhost" };
    const mailbox = { ...config, mail: { mode: "mailbox", from } } as const;
    expect(trouble({ config: mailbox, mailServer: undefined })).toEqual([]);
  });
});
