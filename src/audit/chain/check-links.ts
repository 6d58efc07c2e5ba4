import { equalOctets } from "../../core/index.ts";
import { type ChainedEvent, digestEvent, digestPersonal, hashLink } from "./digests.ts";

/** A place in the chain as it is stored, with the event that lies there now. */
export interface StoredLink {
  readonly position: string;
  readonly sealedAt: string;
  readonly eventId: string;
  readonly occurredAt: string;
  readonly personalDigest: Uint8Array | null;
  readonly digest: Uint8Array;
  readonly hash: Uint8Array;
  /** `undefined`: it is gone. */
  readonly event: ChainedEvent | undefined;
}

/**
 * What is wrong with a chain at the first place where something is. `changed`: an event is another than the one that was
 * sealed. `removed`: an event or its place is gone. `reordered`: it lies in another's place. `inserted`: it was never
 * sealed, and should have been. `erased`: address and device were taken off it, and nobody deleted its account.
 * `rewritten`: the chain is not what was signed. `forged`: a signature is not ours. `unsigned`: the last of it was never
 * signed. `cut_off`: it had been longer.
 */
export interface ChainBreak {
  readonly kind:
    | "changed"
    | "removed"
    | "reordered"
    | "inserted"
    | "erased"
    | "rewritten"
    | "forged"
    | "unsigned"
    | "cut_off";
  readonly position?: string | undefined;
  readonly eventId?: string | undefined;
  /** In words. */
  readonly meaning: string;
}

/** How far the chain is proved. */
export interface Proved {
  readonly position: bigint;
  readonly hash: Uint8Array;
}

export interface LinksChecked {
  readonly proved: Proved;
  readonly found: ChainBreak | undefined;
  /** Events without what identified a person, who must have been deleted. */
  readonly erased: readonly ChainedEvent[];
  /** How many events were looked at. */
  readonly events: number;
  /** How many are gone by retention before their place in the chain is. */
  readonly expired: number;
}

export interface LinkRules {
  /** Microseconds since 1970: older events are gone by retention. */
  readonly eventsSince: bigint | undefined;
  /** What was signed: the hash at a position, in hexadecimal, and the position that is proved by the signature before. */
  readonly signed: ReadonlyMap<string, string>;
}

/** As far as one looks for what was moved. */
const SHIFT_MAX = 500n;

/** Checks places that follow each other, up to the first that is wrong. */
export function checkLinks(from: Proved, links: readonly StoredLink[], rules: LinkRules): LinksChecked {
  let proved = from;
  const erased: ChainedEvent[] = [];
  let [events, expired] = [0, 0];
  for (const link of links) {
    const verdict = checkEvent(link, links, rules) ?? checkPlace(proved, link, links);
    const position = proved.position + 1n;
    // A place that is missing comes before whatever is wrong with the next.
    const found = String(position) === link.position ? verdict : missing(position, BigInt(link.position) - 1n);
    if (found !== undefined) return { proved, found, erased, events, expired };
    const signed = rules.signed.get(link.position);
    if (signed !== undefined && signed !== Buffer.from(link.hash).toString("hex")) {
      return { proved, found: rewritten(link.position), erased, events, expired };
    }
    proved = { position, hash: link.hash };
    if (link.event === undefined) expired += 1;
    else events += 1;
    if (link.event !== undefined && isErased(link, link.event)) erased.push(link.event);
  }
  return { proved, found: undefined, erased, events, expired };
}

export function missing(first: bigint, last: bigint): ChainBreak {
  const which = first === last ? `position ${first} is` : `positions ${first} to ${last} are`;
  return { kind: "removed", position: String(first), meaning: `What was sealed at ${which} gone.` };
}

function rewritten(position: string): ChainBreak {
  const meaning = `Up to position ${position} the chain is whole, and is not what was signed there: it was written anew, from somewhere behind the signature before.`;
  return { kind: "rewritten", position, meaning };
}

function isErased({ personalDigest }: StoredLink, { personalSalt, address, device }: ChainedEvent): boolean {
  return personalDigest !== null && personalSalt === null && address === null && device === null;
}

/** Whether the event is the one that was sealed. */
function checkEvent(link: StoredLink, links: readonly StoredLink[], rules: LinkRules): ChainBreak | undefined {
  const { event, position, eventId, personalDigest } = link;
  const at = { position, eventId };
  if (event === undefined) {
    if (rules.eventsSince !== undefined && BigInt(link.occurredAt) < rules.eventsSince) return undefined;
    return { kind: "removed", ...at, meaning: `The event ${eventId} is gone.` };
  }
  const stored = personalDigest ?? undefined;
  const personal = isErased(link, event) ? stored : digestPersonal(event);
  const digest = digestEvent(event, personal);
  const isBare = event.personalSalt === null && (event.address !== null || event.device !== null);
  if (equalOctets(digest, link.digest) && !isBare) return undefined;
  if (links.some((other) => equalOctets(other.digest, digest))) return reordered(at);
  const isPersonal = equalOctets(digestEvent(event, stored), link.digest);
  const what = isPersonal ? "The address or the device of the event" : "The event";
  return { kind: "changed", ...at, meaning: `${what} ${eventId} is not what was sealed.` };
}

function reordered(at: { readonly position: string; readonly eventId: string }): ChainBreak {
  return { kind: "reordered", ...at, meaning: `The event ${at.eventId} lies in another's place.` };
}

/** Whether the place follows from the one before it. */
function checkPlace(proved: Proved, link: StoredLink, links: readonly StoredLink[]): ChainBreak | undefined {
  const { position, eventId } = link;
  const at = { position, eventId };
  const isRightHere = ({ digest, sealedAt }: Pick<StoredLink, "digest" | "sealedAt">, hash: Uint8Array): boolean =>
    equalOctets(hashLink(proved.hash, { position: BigInt(position), digest, sealedAt }), hash);
  if (isRightHere(link, link.hash)) return undefined;
  const isElsewhere = links.some(
    (other) =>
      isRightHere(other, other.hash) || isRightHere({ digest: other.digest, sealedAt: link.sealedAt }, link.hash),
  );
  if (isElsewhere) return reordered(at);
  const shift = findShift(link, links);
  if (shift > 0n) {
    const meaning = `What was sealed at position ${position} is gone, and what follows was given other positions.`;
    return { kind: "removed", position, meaning };
  }
  if (shift < 0n) {
    const meaning = `At position ${position} something was put in, and what follows was given other positions.`;
    return { kind: "inserted", ...at, meaning };
  }
  return { kind: "changed", ...at, meaning: `What was sealed at position ${position} is not what lies there.` };
}

/** How many positions what follows was moved towards the beginning: it tells so by the hash that leads on to it. */
function findShift(link: StoredLink, links: readonly StoredLink[]): bigint {
  const next = links[links.indexOf(link) + 1];
  if (next === undefined) return 0n;
  const { digest, sealedAt } = next;
  for (let by = 1n; by <= SHIFT_MAX; by += 1n) {
    for (const shift of [by, -by]) {
      const position = BigInt(next.position) + shift;
      if (equalOctets(hashLink(link.hash, { position, sealedAt, digest }), next.hash)) return shift;
    }
  }
  return 0n;
}
