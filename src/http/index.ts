/**
 * The web toolkit: everything about HTTP and HTML that is the same for every feature, and no feature.
 *
 * Flow of a request, outermost first: request log, security headers, failure pages, proxy trust, host check, assets,
 * then the routes of a feature. A route reads a form with `readForm`, checks it with `Csrf`, and answers with
 * `Views.render` or `seeOther`.
 *
 * Invariants: the security policy is set before anything else runs and pages only widen `form-action`, `img-src` and,
 * by the addresses of our own scripts, `script-src`;
 * the only script is that of passkeys, in files of ours, on the pages that name them; every text comes from the catalogue in `views/messages` and is escaped; an error's cause goes to
 * the log and never to the client; forwarded headers are believed only from trusted proxies.
 */
export { accessInWords } from "./access-words.ts";
export { type Brand, createAssets } from "./assets.ts";
export { labelOn } from "./brand-styles.ts";
export { createBodyLimit } from "./body-limit.ts";
export { createClockCheck } from "./clock-check.ts";
export { allowFormAction, allowFrameOfOurs, allowImageFrom, isolateDocument } from "./content-security-policy.ts";
export { createCsrf, type Csrf } from "./csrf.ts";
export { createFailurePages, type FailurePages, type Way } from "./failure-pages.ts";
export { failureText, type FailureText, textOfError } from "./failure-texts.ts";
export { deviceInWords, placeInWords } from "./device-words.ts";
export {
  type FieldError,
  type FieldMessageKey,
  fieldMessage,
  type FormFields,
  readForm,
  type SentForm,
} from "./form.ts";
export { type FormTrouble, pauseTrouble, throttleTrouble, troubleOfLimits } from "./form-trouble.ts";
export { initialOf, initialsOf } from "./initials.ts";
export { chooseLocale } from "./locale.ts";
export { createHostCheck } from "./host-check.ts";
export { type CodeFromMail, codeFromMailForm, codeFromMailTrouble, queryText } from "./mail-code.ts";
export { createTranslator, type Message, message, type Translator } from "./messages.ts";
export { dayOf } from "./moments.ts";
export { newPasswordError } from "./new-password-error.ts";
export { createPostToGet } from "./post-to-get.ts";
export { createProxySightings, type ProxySightings } from "./proxy-sightings.ts";
export { createProxyTrust } from "./proxy-trust.ts";
export { PASSKEY_SCRIPTS } from "./assets.ts";
export { answerTextFile } from "./text-file.ts";
export { qrCodeImage } from "./qr-code.ts";
export { type AnsweredRequest, createRequestLog, requestIdOf } from "./request-log.ts";
export { createRoutes, type RouteStep, seeOther } from "./routes.ts";
export { createSecurityHeaders } from "./security-headers.ts";
export { createViews, type Views } from "./views.ts";
export { catalogues } from "../../views/messages/index.ts";
