import type { Context } from "koa";
import type { z } from "zod";
import type { Account, RequestSource } from "../accounts/index.ts";
import { epochSeconds } from "../core/index.ts";
import {
  type FormTrouble,
  initialsOf,
  type Message,
  readForm,
  requestIdOf,
  type RouteStep,
  seeOther,
  type SentForm,
} from "../http/index.ts";
import { ACR_MULTI_FACTOR, hasFactors, type Proof, reaches } from "../mfa/index.ts";
import type { BrowserSession } from "../oidc/index.ts";
import { noticeOf } from "./notices.ts";
import type { SelfServiceDependencies } from "./ports.ts";
import { accountPageOf, knownAccountPage } from "./routes.ts";

/** How old the last proof of who somebody is may be where much is at stake (ASVS 7.5.1). */
const PROOF_SECONDS_MAX = 15 * 60;

/** Whoever is signed in in this browser. */
export interface Person {
  readonly session: BrowserSession;
  readonly account: Account;
}

export type PersonStep = (ctx: Context, person: Person) => Promise<void>;
export type PersonFormStep<Values> = (ctx: Context, person: Person, form: SentForm<Values>) => Promise<void>;

/** A page of the account, for {@link SignedInPages.show}. */
export interface AccountPage {
  /** The template. */
  readonly view: string;
  /** The item of the menu that it belongs to. */
  readonly item: "profile" | "methods" | "devices" | "apps" | "activity";
  readonly title: Message;
  readonly data?: object;
  readonly scripts?: readonly string[];
  readonly trouble?: FormTrouble | undefined;
  /** What the form is filled in with while there is no trouble. */
  readonly typed?: FormTrouble["typed"];
}

/** The frame of every page of the account: finds the person first, and asks whoever is not signed in to do so. */
export interface SignedInPages {
  page(step: PersonStep): RouteStep;
  /** Also reads the form, and checks that it was sent from a page of this session. */
  form<Values>(schema: z.ZodType<Values>, step: PersonFormStep<Values>): RouteStep;
  /**
   * A step that needs a proof of who somebody is from the last 15 minutes, by a second factor where there is one. Without
   * it the person is asked for it, and comes back to the page that the step belongs to.
   */
  sensitive<Rest extends readonly unknown[]>(
    step: (ctx: Context, person: Person, ...rest: Rest) => Promise<void>,
    returnTo?: string,
  ): (ctx: Context, person: Person, ...rest: Rest) => Promise<void>;
  /**
   * The same by the password or passkey alone: for what comes with adding a first factor, which nobody can have proved
   * for this session yet.
   */
  recent<Rest extends readonly unknown[]>(
    step: (ctx: Context, person: Person, ...rest: Rest) => Promise<void>,
    returnTo?: string,
  ): (ctx: Context, person: Person, ...rest: Rest) => Promise<void>;
  show(ctx: Context, person: Person, page: AccountPage): void;
  /** A factor was added, and proved with it: to the recovery codes that came with it, or else to `url`. */
  showNewCodes(ctx: Context, person: Person, added: { readonly proof: Proof; readonly url: string }): Promise<void>;
  /** Where a request comes from, for the throttle and the audit log. */
  sourceOf(ctx: Context): RequestSource;
}

interface MissingProof {
  readonly acr: string | undefined;
  readonly maxAgeSeconds: number;
}

type Dependencies = Pick<
  SelfServiceDependencies,
  "browserSessions" | "accounts" | "factors" | "views" | "csrf" | "clock" | "clientAddress"
>;

export function createSignedInPages(dependencies: Dependencies): SignedInPages {
  const { browserSessions, accounts, factors, views, csrf, clock } = dependencies;

  /** `undefined` when the answer is given: a redirect to where the person has to go first. */
  async function findPerson(ctx: Context): Promise<Person | undefined> {
    const session = await browserSessions.find(ctx);
    const account = session && (await accounts.find(session.accountId));
    const isThere = account !== undefined && account.disabledAt === undefined;
    if (session !== undefined && isThere && session.isEnough) return { session, account };
    // A session whose account is gone or disabled must not live on, nor send the person round in circles.
    const isToEnd = session !== undefined && !isThere;
    if (isToEnd) await browserSessions.end(ctx);
    // Nobody is signed in, or somebody at a client that asks for less than we do.
    seeOther(ctx, isToEnd ? "/signed-out" : browserSessions.signInUrl("sign-in", accountPageOf(ctx.url)));
    return undefined;
  }

  const acrOf = async ({ account }: Person): Promise<string | undefined> =>
    hasFactors(await factors.overview(account.id)) ? ACR_MULTI_FACTOR : undefined;

  /** What has to be proved first; `undefined` when it was. */
  function findMissingProof({ session }: Person, acr: string | undefined): MissingProof | undefined {
    const isFresh = epochSeconds(clock) - session.authenticatedAt <= PROOF_SECONDS_MAX;
    const isEnough = acr === undefined || reaches(session.acr, acr);
    return isFresh && isEnough ? undefined : { acr, maxAgeSeconds: PROOF_SECONDS_MAX };
  }

  function withProof<Rest extends readonly unknown[]>(guarded: {
    readonly step: (ctx: Context, person: Person, ...rest: Rest) => Promise<void>;
    readonly returnTo: string | undefined;
    readonly acrOf: (person: Person) => Promise<string | undefined>;
  }) {
    return async (ctx: Context, person: Person, ...rest: Rest): Promise<void> => {
      const missing = findMissingProof(person, await guarded.acrOf(person));
      if (missing === undefined) return guarded.step(ctx, person, ...rest);
      const returnTo = knownAccountPage(guarded.returnTo ?? accountPageOf(ctx.url));
      seeOther(ctx, browserSessions.reauthenticationUrl({ ...missing, returnTo }));
    };
  }

  return {
    page: (step) => async (ctx) => {
      const person = await findPerson(ctx);
      if (person !== undefined) await step(ctx, person);
    },
    form: (schema, step) => async (ctx) => {
      const form = await readForm(ctx, schema);
      const person = await findPerson(ctx);
      if (person === undefined) return;
      csrf.check(ctx, person.session.sessionId, form.typed["csrf"]);
      await step(ctx, person, form);
    },
    sensitive: (step, returnTo) => withProof({ step, returnTo, acrOf }),
    recent: (step, returnTo) => withProof({ step, returnTo, acrOf: async () => undefined }),
    async showNewCodes(ctx, { account }, { proof, url }) {
      await browserSessions.addProof(ctx, proof);
      const { recoveryCodes } = await factors.overview(account.id);
      seeOther(ctx, recoveryCodes?.isUnconfirmed === true ? "/account/recovery-codes" : url);
    },
    show(ctx, { session, account }, { view, item, title, data, trouble, typed, scripts }) {
      const { name, email, locale } = account;
      const hidden = { csrf: csrf.token(session.sessionId) };
      const frame = { name, email, initials: initialsOf(name), item, notice: noticeOf(ctx), hidden };
      const uiLocales = locale === undefined ? undefined : [locale];
      const { status = 200, ...errors } = trouble ?? { typed };
      views.render(ctx, view, { title, uiLocales, scripts, data: { ...data, ...frame }, ...errors }, { status });
    },
    sourceOf: (ctx) => ({ address: dependencies.clientAddress(ctx), requestId: requestIdOf(ctx) }),
  };
}
