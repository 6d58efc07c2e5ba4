import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { alice } from "../../support/cast.ts";
import { discover } from "../../support/relying-party.ts";
import { createWorld, type World } from "../../support/world.ts";

const SHOP = "https://shop.example.com";
const STRANGER = "https://mallory.example.com";
let world: World;
beforeAll(async () => {
  world = await createWorld({ stores: "redis" });
});
afterAll(() => world.close());

describe("metadata", () => {
  test("is the same at both well-known addresses [RFC 8414] [OIDC Discovery]", async () => {
    const { issuer } = world.latchkey;
    expect(await discover(issuer, "oauth")).toEqual(await discover(issuer, "openid"));
  });

  test("offers what is on and nothing else", () => {
    expect(world.server).toMatchObject({
      issuer: world.latchkey.issuer,
      response_types_supported: ["code"],
      code_challenge_methods_supported: ["S256"],
      authorization_response_iss_parameter_supported: true,
      subject_types_supported: ["public"],
    });
    expect(world.server.grant_types_supported?.toSorted()).toEqual([
      "authorization_code",
      "client_credentials",
      "refresh_token",
    ]);
    expect(world.server.token_endpoint_auth_methods_supported?.toSorted()).toEqual([
      "client_secret_basic",
      "client_secret_post",
      "none",
      "private_key_jwt",
    ]);
    const algorithms = Object.entries(world.server).filter(([name]) => name.includes("alg_values"));
    expect(JSON.stringify(algorithms)).not.toMatch(/HS\d|none/);
    const urls = Object.values(world.server).filter((value) => typeof value === "string" && URL.canParse(value));
    expect(urls.map((url) => new URL(url as string).origin)).toEqual(urls.map(() => world.latchkey.issuer));
  });

  test.each(["/.well-known/openid-configuration", "/.well-known/oauth-authorization-server", "/jwks"])(
    "%s may be kept by caches and read by any page",
    async (path) => {
      const response = await fetch(world.latchkey.issuer + path, { headers: { origin: STRANGER } });
      expect(response.status).toBe(200);
      expect(response.headers.get("cache-control")).toBe("public, max-age=300");
      expect(response.headers.get("access-control-allow-origin")).toBe("*");
      expect(response.headers.get("set-cookie")).toBeNull();
    },
  );

  test("JWKS holds public keys only, for each algorithm one that signs and the next [ASVS 11.6.1]", async () => {
    const { keys } = (await (await fetch(`${world.latchkey.issuer}/jwks`)).json()) as {
      keys: Record<string, string>[];
    };
    const algorithms = ["RS256", "RS256", "PS256", "PS256", "ES256", "ES256", "EdDSA", "EdDSA"];
    expect(keys.map(({ alg }) => alg)).toEqual(algorithms);
    for (const key of keys) {
      expect(key).toMatchObject({ use: "sig", kid: expect.stringMatching(/.{20}/) });
      // Which of two signs is nobody's business.
      expect(key).not.toHaveProperty("key_ops");
      for (const secret of ["d", "p", "q", "dp", "dq", "qi", "k"]) expect(key).not.toHaveProperty(secret);
    }
  });
});

describe("a page on another origin", () => {
  const call = async (path: string, origin: string): Promise<string | null> => {
    const body = new URLSearchParams({
      client_id: "shopWeb",
      token: "x",
      grant_type: "refresh_token",
      refresh_token: "x",
    });
    const response = await fetch(world.latchkey.issuer + path, { method: "POST", headers: { origin }, body });
    return response.headers.get("access-control-allow-origin");
  };

  test.each(["/token", "/revoke"])(
    "reads answers of %s if the client registered it, and only then [RFC 9700 2.6]",
    async (path) => {
      expect(await call(path, SHOP)).toBe(SHOP);
      for (const origin of [STRANGER, "null", `${SHOP}.example.org`, "http://shop.example.com"]) {
        expect(await call(path, origin)).toBeNull();
      }
    },
  );

  test("reads userinfo of its own token", async () => {
    const { accessToken } = await world.apps.notesWeb.signIn(world.openBrowser(), alice);
    const response = (origin: string): Promise<Response> =>
      fetch(`${world.latchkey.issuer}/userinfo`, { headers: { origin, authorization: `Bearer ${accessToken}` } });
    const own = await response("https://notes.example.com");
    expect(own.status).toBe(200);
    expect(own.headers.get("access-control-allow-origin")).toBe("https://notes.example.com");
    expect((await response(STRANGER)).headers.get("access-control-allow-origin")).toBeNull();
  });

  test("reads nothing of the authorization endpoint, the pages and the sign-out [RFC 9700 2.6]", async () => {
    const { url } = await world.apps.shopWeb.begin();
    for (const target of [url.href, `${world.latchkey.issuer}/account`, `${world.latchkey.issuer}/end-session`]) {
      for (const method of ["GET", "OPTIONS"]) {
        const headers = { origin: SHOP, "access-control-request-method": "GET" };
        const response = await fetch(target, { method, headers, redirect: "manual" });
        expect(response.headers.get("access-control-allow-origin")).toBeNull();
      }
    }
  });
});
