import { type Message, message } from "./messages.ts";

/** What an app may do, or asks to be allowed. */
export interface Access {
  /** Scopes that tell of the person. */
  readonly identityScopes: readonly string[];
  readonly resources: readonly {
    readonly name: string;
    readonly scopes: readonly { readonly name: string; readonly description: string }[];
  }[];
}

/** One thing of it, in words. */
export interface AccessInWords {
  readonly icon: "person" | "mail" | "clock" | "service";
  readonly title: Message;
  readonly detail: Message | undefined;
}

interface Person {
  readonly name: string;
  readonly email: string;
}

/** The same words wherever a person is asked, and wherever they look up what they allowed. */
export function accessInWords({ identityScopes, resources }: Access, person: Person): readonly AccessInWords[] {
  const atResources = resources.flatMap((resource) =>
    resource.scopes.map(({ name, description }): AccessInWords => ({
      icon: "service",
      title: message("verbatim", { text: description === "" ? name : description }),
      detail: message("consent.resource", { resource: resource.name }),
    })),
  );
  return [...identityScopes.map((scope) => scopeInWords(scope, person)), ...atResources];
}

function scopeInWords(scope: string, { name, email }: Person): AccessInWords {
  switch (scope) {
    case "profile":
      return { icon: "person", title: message("consent.profile"), detail: message("verbatim", { text: name }) };
    case "email":
      return { icon: "mail", title: message("consent.email"), detail: message("verbatim", { text: email }) };
    case "offline_access":
      return { icon: "clock", title: message("consent.offline"), detail: message("consent.offline.detail") };
    default:
      // Nobody may be asked to allow what the page does not show, so that a scope without words shows its name.
      return { icon: "service", title: message("verbatim", { text: scope }), detail: undefined };
  }
}
