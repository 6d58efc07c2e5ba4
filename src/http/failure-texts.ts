import { type ErrorCode, isAppError } from "../core/index.ts";
import { type Message, message } from "./messages.ts";

/** What a page says about a failure: what happened, then what it means. */
export interface FailureText {
  readonly title: Message;
  readonly text: Message;
}

type FailureKind =
  | "expired"
  | "notFound"
  | "method"
  | "tooLarge"
  | "form"
  | "input"
  | "busy"
  | "sessions"
  | "throttled"
  | "unavailable"
  | "server"
  | "app"
  | "request"
  | "denied"
  | "link";

export function failureText(kind: FailureKind): FailureText {
  return { title: message(`failure.${kind}.title`), text: message(`failure.${kind}.text`) };
}

const KIND_OF_CODE: Partial<Record<ErrorCode, FailureKind>> = {
  BODY_TOO_LARGE: "tooLarge",
  CONFIRMATION_OVER: "link",
  CSRF_INVALID: "form",
  HASHING_BUSY: "busy",
  INTERACTION_EXPIRED: "expired",
  SESSION_LIMIT_REACHED: "sessions",
  STORE_UNAVAILABLE: "unavailable",
  THROTTLED: "throttled",
};

const KIND_OF_STATUS: Readonly<Record<number, FailureKind>> = {
  404: "notFound",
  405: "method",
  413: "tooLarge",
  429: "throttled",
  501: "method",
  503: "unavailable",
};

/** The words for an error that reached the edge. */
export function textOfError(error: unknown, status: number): FailureText {
  const kind = isAppError(error) ? KIND_OF_CODE[error.code] : undefined;
  return failureText(kind ?? KIND_OF_STATUS[status] ?? (status < 500 ? "input" : "server"));
}
