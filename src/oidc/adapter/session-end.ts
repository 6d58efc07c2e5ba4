import { decodeAuthorization, familyField, FIELD, readFamilyHead } from "./sign-in-fields.ts";
import type { SignInChange } from "./sign-ins.ts";
import type { Fields } from "./store.ts";

/** Ends the session and what hangs on it; grants with `offline_access`, which the person gave for longer, stay. */
export function endSession(fields: Fields, stayed: ReadonlySet<string>): SignInChange | undefined {
  const staying = new Set([...stayed, ...grantsThatPersist(fields)]);
  const drop = [...fields.keys()].filter((name) => name !== FIELD.owner && !staying.has(grantNameOf(fields, name)));
  return drop.length === 0 ? undefined : { unchanged: [FIELD.owner], drop };
}

/** The grant that a field is, or belongs to; empty for what is the session's own. */
function grantNameOf(fields: Fields, name: string): string {
  if (/^g./.test(name)) return name.slice(1);
  const family = /^[er]./.test(name) ? fields.get(familyField(name.slice(1))) : undefined;
  return family === undefined ? "" : readFamilyHead(family).grantName;
}

/** The grants that a client of the session may keep beyond it. */
export function grantsThatPersist(fields: Fields): Set<string> {
  const names = new Set<string>();
  for (const [name, value] of fields) {
    if (!/^a./.test(name)) continue;
    const { grantName, persistsLogout } = decodeAuthorization(value);
    if (persistsLogout && grantName !== undefined && fields.has(`g${grantName}`)) names.add(grantName);
  }
  return names;
}
