import { hash } from "node:crypto";

/** The parties that both variants are set up with, so that their requests and payloads are alike. */

export const shopWeb = {
  id: "shop-web",
  name: "Shop",
  redirectUri: "https://shop.example.com/callback",
} as const;

export const billingApi = {
  id: "billing-api",
  name: "Billing",
} as const;

export const ordersResource = {
  identifier: "https://api.shop.example.com",
  name: "Orders",
  scope: "orders:read",
} as const;

export const IDENTITY_SCOPES = ["openid", "profile", "email", "offline_access"] as const;
export const SIGN_IN_SCOPE = [...IDENTITY_SCOPES, ordersResource.scope].join(" ");
export const PASSWORD_ACR = "urn:latchkey:acr:pwd";
export const PASSWORD = "a bench of nine carpenters";

export interface Person {
  readonly email: string;
  readonly name: string;
}

/** The `index`th person; the same one in every run. */
export function personAt(index: number): Person {
  return { email: `person-${index}@example.com`, name: `Person ${index}` };
}

/** An account id as Latchkey draws it, 22 characters, here derived so that no table is needed. */
export function accountIdOf(email: string): string {
  return hash("sha256", email, "buffer").subarray(0, 16).toString("base64url");
}
