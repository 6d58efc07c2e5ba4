import type { Middleware } from "koa";
import { catalogues } from "../../views/messages/index.ts";
import { createAuthenticator } from "../core/index.ts";
import { createLogger } from "../observability/index.ts";
import { createAssets } from "./assets.ts";
import { createCsrf, type Csrf } from "./csrf.ts";
import { createFailurePages, type FailurePages } from "./failure-pages.ts";
import { createRequestLog } from "./request-log.ts";
import { createSecurityHeaders } from "./security-headers.ts";
import { createViews, type Views } from "./views.ts";

export const ISSUER = "https://id.example.com";

const SECRET = "a test secret of more than 32 bytes, 0123456789";
const BRAND = { name: "Latchkey", color: "#4f46e5", logoFile: undefined };
const NOON_MS = Date.UTC(2026, 10, 23, 12);

/** The toolkit as a server has it, at a fixed time. */
export interface TestToolkit {
  readonly views: Views;
  readonly failurePages: FailurePages;
  readonly csrf: Csrf;
  /** What runs around every route. */
  readonly around: readonly Middleware[];
  /** The log so far, one JSON object a line. */
  readonly logged: () => string;
}

export function createTestToolkit(translateError: (error: unknown) => unknown = (error) => error): TestToolkit {
  const lines: string[] = [];
  const logger = createLogger({ level: "info", destination: { write: (line) => void lines.push(line) } });
  const clock = { nowMs: () => NOON_MS };
  const assets = createAssets(BRAND);
  const links = { help: undefined, privacy: undefined };
  const views = createViews({ issuer: ISSUER, brand: BRAND, links, catalogues, assets, passwordCharactersMin: 12 });
  const failurePages = createFailurePages({ views, logger, clock, translateError });
  const csrf = createCsrf({ authenticator: createAuthenticator([SECRET]), issuer: ISSUER });
  const around = [createRequestLog({ logger }), createSecurityHeaders(ISSUER), failurePages.middleware];
  return { views, failurePages, csrf, around, logged: () => lines.join("") };
}
