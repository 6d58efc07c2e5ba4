import { billingApi, ordersResource, personAt } from "../cast.ts";
import type { RunningVariant } from "../variants/variant.ts";
import { runClosedLoop } from "./closed-loop.ts";
import { createHttpClient, type HttpClient } from "./http-client.ts";
import { createPersonAtApp, type Endpoints, type PersonAtApp } from "./person-at-app.ts";

export const OPERATIONS = ["client_credentials", "silent_sign_in", "code_exchange", "refresh"] as const;
export type Operation = (typeof OPERATIONS)[number];

// Hashing passwords is bounded on purpose, and answers 503 beyond that.
const SIGN_INS_AT_ONCE = 4;

export interface LoadOptions {
  readonly personCount: number;
  readonly connectionsMax: number;
}

/**
 * The requests of one variant's clients. Each `perform` sends exactly one.
 *
 * The operations feed each other, in the order of {@link OPERATIONS}: a code exchange redeems what the silent sign-in
 * of the same index brought, and a refresh uses what the person got last. Requests of one person never overlap as long
 * as the number of people is a multiple of the number of workers.
 */
export interface Load {
  perform(operation: Operation, index: number): Promise<void>;
  /** What the person of that index got last. */
  accessTokenOf(index: number): string;
  /** See {@link PersonAtApp.prepareSignOut}. */
  prepareSignOut(index: number): Promise<() => Promise<void>>;
  close(): void;
}

/** Signs everybody in, so that what follows measures no sign-in page. */
export async function createLoad(
  variant: Pick<RunningVariant, "issuer" | "clientSecret">,
  options: LoadOptions,
): Promise<Load> {
  const http = createHttpClient(options.connectionsMax);
  const endpoints = await discover(http, variant.issuer);
  const people = Array.from({ length: options.personCount }, (_, index) =>
    createPersonAtApp({ http, endpoints, person: personAt(index), address: addressOf(index) }),
  );
  const personOf = (index: number): PersonAtApp => {
    const person = people[index % people.length];
    if (person === undefined) throw new Error("nobody is there");
    return person;
  };
  await runClosedLoop({
    workerCount: SIGN_INS_AT_ONCE,
    requestCount: people.length,
    perform: async (index) => personOf(index).redeem(await personOf(index).signIn()),
  });

  const codes: string[] = [];
  const performers: Record<Operation, (index: number) => Promise<void>> = {
    client_credentials: () => requestClientCredentials(http, endpoints, variant.clientSecret),
    async silent_sign_in(index) {
      codes[index] = await personOf(index).signInSilently();
    },
    async code_exchange(index) {
      const code = codes[index];
      if (code === undefined) throw new Error("a code exchange needs a silent sign-in before it");
      await personOf(index).redeem(code);
    },
    refresh: (index) => personOf(index).refresh(),
  };
  return {
    perform: (operation, index) => performers[operation](index),
    accessTokenOf: (index) => personOf(index).accessToken(),
    prepareSignOut: (index) => personOf(index).prepareSignOut(),
    close: () => http.close(),
  };
}

async function discover(http: HttpClient, issuer: string): Promise<Endpoints> {
  const answer = await http.send({ method: "GET", url: `${issuer}/.well-known/openid-configuration` });
  if (answer.status !== 200) throw new Error(`discovery answers ${answer.status}`);
  const metadata = JSON.parse(answer.body) as {
    readonly authorization_endpoint: string;
    readonly token_endpoint: string;
  };
  return { authorization: new URL(metadata.authorization_endpoint), token: new URL(metadata.token_endpoint) };
}

async function requestClientCredentials(http: HttpClient, endpoints: Endpoints, secret: string): Promise<void> {
  const answer = await http.send({
    method: "POST",
    url: endpoints.token.href,
    headers: {
      authorization: `Basic ${Buffer.from(`${billingApi.id}:${secret}`).toString("base64")}`,
      "x-forwarded-for": addressOf(0),
    },
    form: { grant_type: "client_credentials", resource: ordersResource.identifier, scope: ordersResource.scope },
  });
  if (answer.status !== 200) throw new Error(`client credentials: ${answer.status} ${answer.body}`);
}

/** An address of its own for each person, from the range for benchmarks (RFC 2544). */
function addressOf(index: number): string {
  return `198.18.${Math.floor(index / 250)}.${1 + (index % 250)}`;
}
