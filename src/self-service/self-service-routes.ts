import type { Middleware } from "koa";
import { codeFromMailForm, createRoutes, type RouteStep } from "../http/index.ts";
import { createActivity } from "./activity.ts";
import { createApps, withdrawForm } from "./apps.ts";
import { createConfirmEmail } from "./by-mail/confirm-email.ts";
import { createEmail, emailForm } from "./by-mail/email.ts";
import { createFinishAccount } from "./by-mail/finish-account.ts";
import { createResetFactor } from "./by-mail/reset-factor.ts";
import { createResetPassword } from "./by-mail/reset-password.ts";
import { createResetRequest } from "./by-mail/reset-request.ts";
import { createUndoEmailChange } from "./by-mail/undo-email-change.ts";
import { createDeletion, deletionForm } from "./deletion.ts";
import { createDevices, endForm, noFields } from "./devices.ts";
import { createMethods, removalForm, renamingForm } from "./methods.ts";
import { createNewApp, newAppForm } from "./new-app.ts";
import { createNewPasskey, newPasskeyForm } from "./new-passkey.ts";
import { createPassword, passwordForm } from "./password.ts";
import type { SelfServiceDependencies } from "./ports.ts";
import { createProfile, profileForm } from "./profile.ts";
import { createRecoveryCodes, savedForm } from "./recovery-codes.ts";
import type { SelfServiceRoute } from "./routes.ts";
import { createSignedInPages, type SignedInPages } from "./signed-in.ts";
import { createStartPages } from "./start.ts";
import { createYourData } from "./your-data.ts";

/** The pages outside an authorization request: the start page, the account's pages and signing out there. */
export function createSelfServiceRoutes(dependencies: SelfServiceDependencies): Middleware {
  const start = createStartPages(dependencies);
  const pages = createSignedInPages(dependencies);
  return createRoutes({
    "GET /": start.showStart,
    "GET /sign-in": start.signIn,
    "GET /create-account": start.createAccount,
    "GET /signed-out": start.showSignedOut,
    "GET /account/signed-in": start.returnSignedIn,
    "POST /account/sign-out": start.signOut,
    ...byMailRoutes(dependencies),
    ...profileRoutes(dependencies, pages),
    ...methodRoutes(dependencies, pages),
    ...accessRoutes(dependencies, pages),
  } satisfies Record<SelfServiceRoute, RouteStep>);
}

/** What is proved by mail, for whoever is not signed in. */
function byMailRoutes(dependencies: SelfServiceDependencies) {
  const finish = createFinishAccount(dependencies);
  const request = createResetRequest(dependencies);
  const reset = createResetPassword(dependencies);
  const factor = createResetFactor(dependencies);
  const undoing = createUndoEmailChange(dependencies);
  return {
    "GET /create-account/finish": finish.show,
    "POST /create-account/finish": finish.create,
    "GET /create-account/done": finish.showDone,
    "GET /reset-password": request.showRequest,
    "POST /reset-password": request.request,
    "GET /reset-password/code": request.showCode,
    "POST /reset-password/code": request.takeCode,
    "GET /reset-password/second-factor": factor.showApp,
    "POST /reset-password/second-factor": factor.takeApp,
    "GET /reset-password/passkey": factor.showPasskey,
    "POST /reset-password/passkey": factor.takePasskey,
    "GET /reset-password/recovery-code": factor.showRecoveryCode,
    "POST /reset-password/recovery-code": factor.takeRecoveryCode,
    "GET /reset-password/new": reset.showPassword,
    "POST /reset-password/new": reset.setPassword,
    "GET /reset-password/done": reset.showDone,
    "GET /confirm-email": createConfirmEmail(dependencies),
    "GET /undo-email-change": undoing.show,
    "POST /undo-email-change": undoing.undo,
  };
}

/** Who the person is. */
function profileRoutes(dependencies: SelfServiceDependencies, pages: SignedInPages) {
  const profile = createProfile(dependencies, pages);
  const password = createPassword(dependencies, pages);
  const email = createEmail(dependencies, pages);
  const yourData = createYourData(dependencies, pages);
  const deletion = createDeletion(dependencies, pages);
  return {
    "GET /account": pages.page(profile.showOverview),
    "GET /account/profile": pages.page(profile.showForm),
    "POST /account/profile": pages.form(profileForm, profile.change),
    "GET /account/email": pages.page(email.show),
    "POST /account/email": pages.form(emailForm, pages.sensitive(email.send)),
    "GET /account/email/code": pages.page(email.showCode),
    "POST /account/email/code": pages.form(codeFromMailForm, email.takeCode),
    "GET /account/email/confirm": pages.page(email.showConfirmation),
    "POST /account/email/confirm": pages.form(noFields, email.confirm),
    "GET /account/password": pages.page(password.showForm),
    "POST /account/password": pages.form(passwordForm, password.send),
    "GET /account/data": pages.page(yourData.show),
    "GET /account/data.json": pages.page(pages.sensitive(yourData.download, "/account/data")),
    "GET /account/delete": pages.page(pages.sensitive(deletion.showForm)),
    "POST /account/delete": pages.form(deletionForm, pages.sensitive(deletion.remove)),
  };
}

/** How the person signs in. */
function methodRoutes(dependencies: SelfServiceDependencies, pages: SignedInPages) {
  const methods = createMethods(dependencies, pages);
  const newApp = createNewApp(dependencies, pages);
  const newPasskey = createNewPasskey(dependencies, pages);
  const codes = createRecoveryCodes(dependencies, pages);
  const back = "/account/methods";
  return {
    "GET /account/methods": pages.page(methods.show),
    "GET /account/methods/app": pages.page(pages.sensitive(newApp.show)),
    "POST /account/methods/app": pages.form(newAppForm, pages.sensitive(newApp.add)),
    "GET /account/methods/passkey": pages.page(pages.sensitive(newPasskey.show)),
    "POST /account/methods/passkey": pages.form(newPasskeyForm, pages.sensitive(newPasskey.add)),
    "GET /account/methods/rename": pages.page(methods.showRenaming),
    "POST /account/methods/rename": pages.form(renamingForm, methods.rename),
    "GET /account/methods/remove": pages.page(pages.sensitive(methods.showRemoval, back)),
    "POST /account/methods/remove": pages.form(removalForm, pages.sensitive(methods.remove, back)),
    "GET /account/recovery-codes": pages.page(pages.recent(codes.show)),
    "POST /account/recovery-codes": pages.form(savedForm, pages.recent(codes.confirm)),
    "GET /account/recovery-codes.txt": pages.page(pages.recent(codes.download, "/account/recovery-codes")),
    "POST /account/recovery-codes/new": pages.form(noFields, pages.sensitive(codes.replace, back)),
  };
}

/** What has access to the account, and what happened. */
function accessRoutes(dependencies: SelfServiceDependencies, pages: SignedInPages) {
  const devices = createDevices(dependencies, pages);
  const apps = createApps(dependencies, pages);
  const activity = createActivity(dependencies, pages);
  return {
    "GET /account/devices": pages.page(devices.show),
    "POST /account/devices/end": pages.form(endForm, devices.end),
    "POST /account/devices/end-others": pages.form(noFields, devices.endOthers),
    "GET /account/apps": pages.page(apps.show),
    "POST /account/apps/withdraw": pages.form(withdrawForm, apps.withdraw),
    "GET /account/activity": pages.page(activity.show),
    "GET /account/activity/not-me": pages.page(activity.showAdvice),
  };
}
