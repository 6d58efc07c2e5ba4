import { alice, bob, mallory, type Person } from "../../support/cast.ts";
import type { Browser } from "../../support/browser.ts";
import { authorizeAs } from "../../support/journeys.ts";
import { type Ending, grantOf } from "./ending.ts";
import type { Random } from "./random.ts";
import {
  anyNode,
  type GotToken,
  introspectAt,
  type Issued,
  presentToken,
  revokeAt,
  type Scene,
  verifyAt,
} from "./scene.ts";

const FOR_ORDERS = { scope: "openid orders:read" };
const STEPS_MAX = 14;
const FAMILIES_MAX = 6;
const RETRY_AFTER_MS = 100;
/** How long the app asks for its lost answer before it gives up and never uses that token again. */
const RETRIES_MS_MAX = 20_000;

/** What one code began: the app's tokens, as the app knows them. */
export interface Family {
  readonly sid: string;
  readonly grant: string;
  /** Every refresh token of it, the living one last. */
  readonly refreshTokens: string[];
  readonly accessTokens: GotToken[];
  /** `lost`: the app does not know which token lives. `gone`: it was refused. */
  state: "living" | "lost" | "gone";
}

/** One browser, signed in, and all that the app got through it. */
export interface SignIn {
  readonly browser: Browser;
  readonly families: Family[];
  isOver: boolean;
}

/** Signs in again and again, uses what that gives, and ends it in one of many ways; until the scene is over. */
export async function livePerson(scene: Scene, random: Random): Promise<readonly SignIn[]> {
  const signIns: SignIn[] = [];
  while (scene.goesOn()) {
    const signIn = await beginSignIn(scene, random);
    if (signIn === undefined) continue;
    signIns.push(signIn);
    for (let step = 0; step < STEPS_MAX && scene.goesOn() && !signIn.isOver; step += 1) {
      await random.pick(random.isIn(0.12) ? ENDING_STEPS : ORDINARY_STEPS)(scene, random, signIn);
    }
  }
  return signIns;
}

async function beginSignIn(scene: Scene, random: Random): Promise<SignIn | undefined> {
  const { world } = scene.deployment;
  // From ever new places: so many sign-ins from one would be throttled.
  const address = `198.${18 + random.below(2)}.${random.below(256)}.${random.below(256)}`;
  const signIn: SignIn = { browser: world.openBrowser({ "x-forwarded-for": address }), families: [], isOver: false };
  const person = random.pick<Person>([alice, bob, mallory]);
  await beginFamily(scene, random, { signIn, person });
  return signIn.families.length > 0 ? signIn : undefined;
}

type Step = (scene: Scene, random: Random, signIn: SignIn) => Promise<void>;

/** With a person, at the sign-in page; without, silently. */
async function beginFamily(
  scene: Scene,
  random: Random,
  { signIn, person }: { readonly signIn: SignIn; readonly person?: Person },
): Promise<void> {
  const { shopWeb } = scene.deployment.world.apps;
  const request = await shopWeb.begin({ ...FOR_ORDERS, ...(person === undefined ? { prompt: "none" } : {}) });
  const { answer: page } = await scene.recorder.time(() =>
    person === undefined ? signIn.browser.open(request.url) : authorizeAs(signIn.browser, person, request.url),
  );
  const code = page?.url.searchParams.get("code");
  if (code === undefined || code === null) return;
  const form = {
    grant_type: "authorization_code",
    client_id: shopWeb.client.client_id,
    code,
    redirect_uri: shopWeb.redirectUri,
    code_verifier: request.verifier,
  };
  const redeem = () => presentToken(scene, anyNode(scene, random), { by: "code", presented: code, form });
  // A code that comes twice may end what the first one gave, and so the grant that all families of this client share.
  const isTwice = random.isIn(0.1) && signIn.families.length > 0;
  if (isTwice) attemptEnding(scene, signIn);
  const answers = await Promise.all(isTwice ? [redeem(), redeem()] : [redeem()]);
  for (const issued of answers) if (typeof issued === "object") signIn.families.push(toFamily(issued));
}

function toFamily({ access, refreshToken }: Issued): Family {
  const { facts } = access;
  return {
    sid: facts.sid,
    grant: grantOf(facts),
    refreshTokens: [refreshToken],
    accessTokens: [access],
    state: "living",
  };
}

/** From here on everything of the sign-in may be over. */
function attemptEnding({ recorder }: Scene, { families: [family] }: SignIn): void {
  const ending: Ending = { kind: "session", sid: family?.sid ?? "" };
  recorder.log({ type: "ending", ending, answer: "unknown", startMs: recorder.now(), endMs: Number.POSITIVE_INFINITY });
}

const beginAnotherFamily: Step = async (scene, random, signIn) => {
  // With the eleventh the app would lose its oldest.
  if (signIn.families.length < FAMILIES_MAX) await beginFamily(scene, random, { signIn });
};

/** Asks until there is an answer, at any node; now and then from two tabs at once. */
const refresh: Step = async (scene, random, signIn) => {
  const family = anyFamily(signIn, random);
  if (family?.state !== "living") return;
  const presented = family.refreshTokens.at(-1) ?? "";
  const sinceMs = scene.recorder.now();
  const honest = { sid: family.sid, grant: family.grant, sinceMs };
  const form = { grant_type: "refresh_token", client_id: "shopWeb", refresh_token: presented };
  const ask = () => presentToken(scene, anyNode(scene, random), { by: "refresh_token", presented, honest, form });
  while (family.state === "living" && family.refreshTokens.at(-1) === presented) {
    const answers = await Promise.all(random.isIn(0.3) ? [ask(), ask()] : [ask()]);
    const issued = answers.filter((answer) => typeof answer === "object");
    for (const { access } of issued) family.accessTokens.push(access);
    const [first] = issued;
    if (first !== undefined) family.refreshTokens.push(first.refreshToken);
    else if (answers.includes("refused")) family.state = "gone";
    else if (scene.recorder.now() - sinceMs > RETRIES_MS_MAX) family.state = "lost";
    else await new Promise((resolve) => setTimeout(resolve, RETRY_AFTER_MS));
  }
};

const verifyEverywhere: Step = async (scene, random, signIn) => {
  const token = anyToken(signIn, random);
  if (token !== undefined) await Promise.all(scene.services.map((service) => verifyAt(scene, service, token)));
};

const introspect: Step = async (scene, random, signIn) => {
  const token = anyToken(signIn, random);
  if (token !== undefined) await introspectAt(scene, anyNode(scene, random), token);
};

/** Gives an access token back, and looks at once whether it is dead. */
const revokeAccessToken: Step = async (scene, random, signIn) => {
  const token = anyToken(signIn, random);
  if (token === undefined) return;
  const { answer = "unknown", ...times } = await revokeAt(scene, anyNode(scene, random), token.text);
  const ending: Ending = { kind: "token", jti: token.facts.jti };
  scene.recorder.log({ type: "ending", ending, answer, ...times });
  await introspectAt(scene, anyNode(scene, random), token);
};

const revokeRefreshToken: Step = async (scene, random, signIn) => {
  const family = anyFamily(signIn, random);
  if (family === undefined) return;
  const { grant } = family;
  const token = family.refreshTokens.at(-1) ?? "";
  const { answer = "unknown", ...times } = await revokeAt(scene, anyNode(scene, random), token);
  scene.recorder.log({ type: "ending", ending: { kind: "grant", grant }, answer, ...times });
  await checkFamily(scene, random, family);
};

/** Somebody presents a token of long ago. The refusal says that the whole family is over. */
const steal: Step = async (scene, random, signIn) => {
  const family = anyFamily(signIn, random);
  if (family === undefined || family.refreshTokens.length < 3) return;
  const [presented = ""] = family.refreshTokens;
  const startMs = scene.recorder.now();
  const form = { grant_type: "refresh_token", client_id: "shopWeb", refresh_token: presented };
  const result = await presentToken(scene, anyNode(scene, random), { by: "refresh_token", presented, form });
  const isAcknowledged = result === "refused";
  const endMs = isAcknowledged ? scene.recorder.now() : Number.POSITIVE_INFINITY;
  const answer = isAcknowledged ? "acknowledged" : "unknown";
  scene.recorder.log({ type: "ending", ending: { kind: "grant", grant: family.grant }, answer, startMs, endMs });
  await checkFamily(scene, random, family);
};

const signOut: Step = async (scene, random, signIn) => {
  const { issuer } = scene.deployment.world.latchkey;
  await endSession(scene, { random, signIn }, async () => {
    const account = await signIn.browser.open(`${issuer}/account`);
    const left = await signIn.browser.submit(account, account.formWith("csrf"));
    return left.url.pathname === "/signed-out" ? "acknowledged" : undefined;
  });
};

const endByOperator: Step = async (scene, random, signIn) => {
  const { sessions } = scene.deployment.world.latchkey;
  const facts = signIn.families[0]?.accessTokens[0]?.facts;
  await endSession(scene, { random, signIn }, async () => {
    await sessions.end(facts?.sub ?? "", facts?.sid ?? "", "ended_by_operator");
    return "acknowledged";
  });
};

async function endSession(
  scene: Scene,
  { random, signIn }: { readonly random: Random; readonly signIn: SignIn },
  end: () => Promise<"acknowledged" | undefined>,
): Promise<void> {
  const ending: Ending = { kind: "session", sid: signIn.families[0]?.sid ?? "" };
  // Issuance that is under way meanwhile must not survive it.
  const [{ answer = "unknown", ...times }] = await Promise.all([
    scene.recorder.time(end),
    random.isIn(0.5) ? refresh(scene, random, signIn) : undefined,
    random.isIn(0.3) ? beginAnotherFamily(scene, random, signIn) : undefined,
  ]);
  scene.recorder.log({ type: "ending", ending, answer, ...times });
  signIn.isOver = true;
  for (const family of signIn.families) await checkFamily(scene, random, family);
}

/** Right after its end: what do the services and the nodes say? */
async function checkFamily(scene: Scene, random: Random, family: Family): Promise<void> {
  family.state = family.state === "living" ? "lost" : family.state;
  const token = family.accessTokens.at(-1);
  if (token === undefined) return;
  await Promise.all([
    introspectAt(scene, anyNode(scene, random), token),
    ...scene.services.map((service) => verifyAt(scene, service, token)),
  ]);
}

const ORDINARY_STEPS: readonly [Step, ...Step[]] = [
  refresh,
  refresh,
  refresh,
  beginAnotherFamily,
  verifyEverywhere,
  introspect,
  revokeAccessToken,
];
const ENDING_STEPS: readonly [Step, ...Step[]] = [revokeRefreshToken, steal, signOut, endByOperator];

function anyFamily({ families }: SignIn, random: Random): Family | undefined {
  return families[random.below(families.length)];
}

function anyToken(signIn: SignIn, random: Random): GotToken | undefined {
  const tokens = anyFamily(signIn, random)?.accessTokens ?? [];
  return tokens[random.below(tokens.length)];
}
