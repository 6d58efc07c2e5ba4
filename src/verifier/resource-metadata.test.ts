import { describe, expect, test } from "vitest";
import { createResourceMetadata, type ResourceDescription } from "./resource-metadata.ts";

const ISSUER = "https://id.example.com";

function metadataOf(resource: string, more: Partial<ResourceDescription> = {}) {
  return createResourceMetadata({ resource, authorizationServers: [ISSUER], ...more });
}

describe("where the document is [RFC 9728 3.1]", () => {
  test.each([
    ["https://api.example.com", "https://api.example.com/.well-known/oauth-protected-resource"],
    ["https://api.example.com/", "https://api.example.com/.well-known/oauth-protected-resource"],
    ["https://api.example.com/orders", "https://api.example.com/.well-known/oauth-protected-resource/orders"],
    ["https://api.example.com/a/b/", "https://api.example.com/.well-known/oauth-protected-resource/a/b/"],
    ["https://api.example.com:8443/a?b=c", "https://api.example.com:8443/.well-known/oauth-protected-resource/a?b=c"],
    ["http://localhost:3002", "http://localhost:3002/.well-known/oauth-protected-resource"],
  ])("%s", (resource, url) => {
    const metadata = metadataOf(resource);
    expect(metadata.url).toBe(url);
    expect(new URL(metadata.path, resource).href).toBe(url);
  });

  test.each(["urn:example:orders", "orders", "https://api.example.com/#part", "ftp://api.example.com"])(
    "%s has none, and says so",
    (resource) => {
      expect(() => metadataOf(resource)).toThrow(TypeError);
    },
  );
});

describe("the document [RFC 9728 2]", () => {
  test("names the resource as it was registered, and who issues its tokens", () => {
    expect(metadataOf("https://api.example.com/").document).toEqual({
      resource: "https://api.example.com/",
      authorization_servers: [ISSUER],
      bearer_methods_supported: ["header"],
    });
  });

  test("says the rest under the names of the standard, and leaves out what is empty [RFC 9728 3.2]", () => {
    const { document } = metadataOf("https://api.example.com", {
      scopes: ["orders:read"],
      name: "Orders",
      documentation: "https://api.example.com/docs",
      policyUri: "https://api.example.com/policy",
      termsUri: "https://api.example.com/terms",
      isDpopRequired: true,
      dpopAlgorithms: [],
    });
    expect(document).toMatchObject({
      scopes_supported: ["orders:read"],
      resource_name: "Orders",
      resource_documentation: "https://api.example.com/docs",
      resource_policy_uri: "https://api.example.com/policy",
      resource_tos_uri: "https://api.example.com/terms",
      dpop_bound_access_tokens_required: true,
    });
    expect(document).not.toHaveProperty("dpop_signing_alg_values_supported");
  });

  test("may be read by scripts of any origin, and be kept for a while", () => {
    const { headers } = metadataOf("https://api.example.com");
    expect(headers).toMatchObject({ "access-control-allow-origin": "*", "cache-control": "public, max-age=300" });
  });
});
