import { billingApi } from "../cast.ts";
import type { RunningVariant } from "../variants/variant.ts";
import { createHttpClient } from "./http-client.ts";

/** `billing-api` that asks the server about tokens (RFC 7662), on one kept-alive connection. */
export interface Introspection {
  isActive(token: string): Promise<boolean>;
  close(): void;
}

export async function createIntrospection({
  issuer,
  clientSecret,
}: Pick<RunningVariant, "issuer" | "clientSecret">): Promise<Introspection> {
  const http = createHttpClient(1);
  const metadata = await http.send({ method: "GET", url: `${issuer}/.well-known/openid-configuration` });
  const { introspection_endpoint: url } = JSON.parse(metadata.body) as { readonly introspection_endpoint: string };
  const authorization = `Basic ${Buffer.from(`${billingApi.id}:${clientSecret}`).toString("base64")}`;
  return {
    async isActive(token) {
      const answer = await http.send({ method: "POST", url, headers: { authorization }, form: { token } });
      if (answer.status !== 200) throw new Error(`introspection says ${answer.status} ${answer.body}`);
      return answer.body.includes('"active":true');
    },
    close: () => http.close(),
  };
}
