import { type Message, message } from "../http/index.ts";

/** A picture of the kind of device. */
export function deviceIcon(device: string | undefined): "phone" | "laptop" {
  return /iPhone|Android|Windows Phone/.test(device ?? "") ? "phone" : "laptop";
}

/** How the person proved who they are (RFC 8176 values); `undefined` when nothing of it has a word. */
export function methodsInWords(amr: readonly string[]): Message | undefined {
  const isPasskey = amr.includes("hwk") || amr.includes("swk");
  if (isPasskey) return amr.includes("pwd") ? message("method.passwordAndPasskey") : message("method.passkey");
  if (!amr.includes("pwd")) return undefined;
  return amr.includes("otp") ? message("method.passwordAndCode") : message("method.password");
}
