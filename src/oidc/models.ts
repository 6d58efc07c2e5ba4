import { errors, type Provider } from "oidc-provider";
import { sha256 } from "../core/index.ts";
import type { Clients } from "../clients/index.ts";
import {
  newAccessTokenId,
  newRefreshFamilyIn,
  newSuccessor,
  newTag,
  newTaggedSecret,
  parseRefreshToken,
  type ProtocolState,
} from "./adapter/index.ts";
import { isClientSecret } from "./configuration/clients.ts";

/** What the types leave out: every model makes its own ids. */
type WithTokenId = { generateTokenId(): string; format?: string; sessionUid?: string; grantId?: string };
type Model = { readonly prototype: object };

/** Gives the library's models identifiers that lead to their sign-in: see `adapter/identifiers.ts`. */
export function useOwnIdentifiers(provider: Provider): void {
  const { AuthorizationCode, AccessToken, RefreshToken } = provider;
  overrideTokenId(AuthorizationCode, (code) => newTaggedSecret(code.sessionUid ?? newTag()));
  overrideTokenId(AccessToken, (token, original) => {
    const id = original();
    if (token.format === "opaque") return newTaggedSecret(token.sessionUid ?? newTag());
    return token.grantId === undefined ? id : newAccessTokenId(token.grantId);
  });
  overrideTokenId(RefreshToken, (token) => {
    const { RotatedRefreshToken } = requestContextOf(provider)?.oidc.entities ?? {};
    const predecessor = parseRefreshToken(RotatedRefreshToken?.jti ?? "");
    return predecessor === undefined ? newRefreshFamilyIn(token.sessionUid ?? newTag()) : newSuccessor(predecessor);
  });
  useOwnSessionIdentifiers(provider);
}

function overrideTokenId(model: Model, make: (token: WithTokenId, original: () => string) => string): void {
  const prototype = model.prototype as WithTokenId;
  const original = Reflect.get(prototype, "generateTokenId");
  prototype.generateTokenId = function generateTokenId(this: WithTokenId) {
    return make(this, () => original.call(this));
  };
}

function useOwnSessionIdentifiers(provider: Provider): void {
  const { Session } = provider;
  const getSession = Session.get.bind(Session);
  Session.get = async (ctx) => {
    const session = await getSession(ctx);
    // One that was not found in the store is new, whatever its cookie said.
    if (session.exp === undefined) beginSignIn(session);
    return session;
  };
  // A new secret under the same tag. The library would delete the old session first and lose what hangs on it.
  Session.prototype.resetIdentifier = function resetIdentifier() {
    this.jti = newTaggedSecret(this.uid);
    Reflect.set(this, "touched", true);
  };
  const loginAccount = Reflect.get(Session.prototype, "loginAccount");
  Session.prototype.loginAccount = function loginAs(details) {
    // Nobody inherits the session of another, nor that of a browser in which nobody was signed in.
    if (this.accountId !== details.accountId) beginSignIn(this, notedSignIn(provider));
    loginAccount.call(this, details);
  };
  // The one identifier of the session that apps ever see: the same wherever a token or a sign-out names it.
  Session.prototype.ensureClientContainer = function ensureClientContainer(clientId) {
    if (this.sidFor(clientId) === undefined) this.sidFor(clientId, this.uid);
  };
}

type SessionIdentity = { uid: string; jti: string; authorizations?: unknown; iat?: number; exp?: number };

/** Member of a login's result that holds the tag of the session that was noted for it. */
export const SIGN_IN_MEMBER = "signIn";

/** What the person proved is good for this one session, which may have been ended since. */
function notedSignIn(provider: Provider): string {
  const signIn = requestContextOf(provider)?.oidc.entities.Interaction?.result?.login?.[SIGN_IN_MEMBER];
  if (typeof signIn !== "string") throw new errors.SessionNotFound("the sign-in is of no session");
  return signIn;
}

function beginSignIn(session: SessionIdentity, tag: string = newTag()): void {
  session.uid = tag;
  session.jti = newTaggedSecret(session.uid);
  delete session.authorizations;
  delete session.iat;
}

/** Of the request that is under way. */
export function requestContextOf(provider: Provider) {
  return (provider.constructor as typeof Provider).ctx;
}

/**
 * The library hashes all of a client's metadata at every look-up, to see whether it changed. We know by the object: the
 * registry gives the same one for as long as nothing changed.
 */
export function useKnownClients(
  provider: Provider,
  findMetadata: (clientId: string) => Promise<object | undefined>,
): void {
  const { Client } = provider;
  const find = Client.find.bind(Client);
  const known = new WeakMap<object, Awaited<ReturnType<typeof find>>>();
  Client.find = async (clientId: string) => {
    const metadata = await findMetadata(clientId);
    if (metadata === undefined) return find(clientId);
    const client = known.get(metadata) ?? (await find(clientId));
    known.set(metadata, client);
    return client;
  };
}

/** Secrets are kept as digests (RFC 9700 asks for nothing less), so the library's comparison is replaced. */
export function useOwnSecretComparison(provider: Provider, clients: Clients): void {
  provider.Client.prototype.compareClientSecret = function compareClientSecret(presented) {
    return isClientSecret(clients, this.clientId, presented);
  };
}

/**
 * Where the library ends a refresh token, its grant follows, and takes all of its tokens along. Were the token dropped
 * first, a crash in between would leave a grant whose JWTs nobody was told of, and nobody a token to end it with.
 */
export function useGrantsToEndRefreshTokens(provider: Provider): void {
  provider.RefreshToken.prototype.destroy = async () => undefined;
}

/** The library looks and then writes, which lets two parallel requests through; we claim in one step. */
export function useAtomicReplayDetection(provider: Provider, state: ProtocolState, nowSeconds: () => number): void {
  provider.ReplayDetection.unique = async (issuer, jti, expiresAt) =>
    state.claimReplayId(sha256(`${issuer}\0${jti}`).toString("base64url"), Math.ceil(expiresAt ?? 0) - nowSeconds());
}
