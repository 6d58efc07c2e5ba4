import type { EndScope } from "../../sessions/index.ts";
import { familyExtraField, familyField, FIELD, grantField, readFamilyHead, readMention } from "./sign-in-fields.ts";
import type { SignInChange } from "./sign-ins.ts";
import type { Fields } from "./store.ts";

export interface SignInEnd {
  /** `session`: grants with `offline_access`, which the person gave for longer, stay. `undefined`: only grants end. */
  readonly scope: EndScope | undefined;
  readonly endedGrants: readonly string[];
  /** Grants that stay. Which do, the session says, so that each decision adds to them for the one after the session. */
  readonly staying: Set<string>;
}

/** What goes from a sign-in when something of it ends; `undefined` when it is gone already. */
export function endingOf(fields: Fields, end: SignInEnd): SignInChange | undefined {
  const drop = new Set(end.endedGrants.flatMap((name) => hangingOnGrant(fields, name)));
  if (end.scope === "whole") for (const name of fields.keys()) drop.add(name);
  if (end.scope === "session") for (const name of endingWithSession(fields, end.staying)) drop.add(name);
  return drop.size === 0 ? undefined : { unchanged: unchangedFor(fields, end), drop: [...drop] };
}

/** Where the owner stays what he was, nobody else ended or began the sign-in; a grant goes as it was looked at. */
function unchangedFor(fields: Fields, { scope, endedGrants }: SignInEnd): string[] {
  return scope === undefined ? endedGrants.map(grantField).filter((name) => fields.has(name)) : [FIELD.owner];
}

function endingWithSession(fields: Fields, staying: Set<string>): string[] {
  for (const name of grantsThatPersist(fields)) staying.add(name);
  return [...fields.keys()].filter((name) => name !== FIELD.owner && !staying.has(grantNameOf(fields, name)));
}

/** The grant, with the session's mention of it, and its refresh-token families. */
function hangingOnGrant(fields: Fields, grantName: string): string[] {
  const hanging = [...fields].flatMap(([name, value]) => {
    const isOfGrant = /^r./.test(name) && readFamilyHead(value).grantName === grantName;
    return isOfGrant ? [name, familyExtraField(name.slice(1))] : [];
  });
  return [grantField(grantName), ...hanging].filter((name) => fields.has(name));
}

/** The grant that a field is, or belongs to; empty for what is the session's own. */
function grantNameOf(fields: Fields, name: string): string {
  if (/^g./.test(name)) return name.slice(1);
  const family = /^[er]./.test(name) ? fields.get(familyField(name.slice(1))) : undefined;
  return family === undefined ? "" : readFamilyHead(family).grantName;
}

/** Of a session that is over, all that is left goes on without it; of one that is not, nothing as yet. */
export function grantsBeyondSession(fields: Fields): Set<string> {
  if (fields.has(FIELD.login)) return new Set();
  return new Set([...fields.keys()].filter((name) => /^g./.test(name)).map((name) => name.slice(1)));
}

/** The grants that a client of the session may keep beyond it. */
function grantsThatPersist(fields: Fields): string[] {
  return [...fields].flatMap(([name, value]) => {
    const persists = /^g./.test(name) && readMention(value)?.persistsLogout === true;
    return persists ? [name.slice(1)] : [];
  });
}
