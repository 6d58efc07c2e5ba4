import type { signIn as english } from "../en/sign-in.ts";

export const signIn = {
  "signIn.title": "Anmelden",
  "signIn.toClient": "und weiter zu **{client}**",
  "signIn.toAccount": "und weiter zu Ihrem {brand}-Konto",
  "signIn.again":
    "Angemeldet als **{email}**. Damit sicher ist, dass Sie es sind, fragt **{client}** noch einmal nach Ihrem Passwort.",
  "signIn.againForAccount":
    "Angemeldet als **{email}**. Damit sicher ist, dass Sie es sind, geben Sie Ihr Passwort noch einmal ein.",
  "signIn.button": "Anmelden",
  "signIn.or": "oder",
  "signIn.newHere": "Neu hier?",
  "signIn.createAccount": "Konto anlegen",
  "signIn.mismatch": "E-Mail-Adresse und Passwort passen nicht zusammen. Prüfen Sie beides und versuchen Sie es noch einmal.",
  "signIn.throttled": "Zu viele Versuche. Sie können es {when} noch einmal versuchen.",
  "signIn.passwordLocked":
    "Zu viele Versuche, deshalb gilt dieses Passwort hier nicht mehr. Setzen Sie es per E-Mail zurück, oder melden Sie sich mit einem Passkey oder auf einem Gerät an, das Sie schon benutzt haben.",
  "signIn.busy": "Gerade melden sich sehr viele Menschen an. Versuchen Sie es {when} noch einmal.",
  "signIn.tooManySessions":
    "Sie sind auf so vielen Geräten angemeldet, wie es für Ihr Konto erlaubt ist. Melden Sie sich auf einem ab, das Sie nicht brauchen, und versuchen Sie es hier noch einmal.",
  "signIn.assure.client": "**{client} sieht Ihr Passwort nie.** Sie geben es hier ein und nur hier.",
  "signIn.assure.address": "Prüfen Sie vorher, dass in der Adresszeile **{host}** steht.",

  "switch.notYou": "Sind Sie das nicht?",
  "switch.button": "Anderes Konto benutzen",

  "createAccount.title": "Ihr neues Konto",
  "createAccount.toClient": "Ein Konto für **{client}** und alles andere, wo Sie sich mit {brand} anmelden.",
  "createAccount.toAccount": "Ein Konto für alles, wo Sie sich mit {brand} anmelden.",
  "createAccount.button": "Konto anlegen",
  "createAccount.haveOne": "Sie haben schon ein Konto?",
  "createAccount.signIn": "Anmelden",
  "createAccount.assure.title": "Was wir speichern",
  "createAccount.assure.text":
    "Ihren Namen, Ihre E-Mail-Adresse und Ihr Passwort in einer unkenntlichen Form, die niemand lesen kann, auch wir nicht.",

  "consent.title": "Darf {client} Ihr Konto benutzen?",
  "consent.signedInAs": "Angemeldet als **{email}**.",
  "consent.asks": "{client} möchte",
  "consent.asksNothing": "{client} erfährt nur, dass es jedes Mal dasselbe Konto ist.",
  "consent.profile": "Ihren Namen sehen",
  "consent.email": "Ihre E-Mail-Adresse sehen",
  "consent.offline": "Verbunden bleiben, wenn Sie nicht da sind",
  "consent.offline.detail": "Das gilt auch, wenn Sie die App geschlossen haben.",
  "consent.resource": "Bei {resource}",
  "consent.allow": "Erlauben",
  "consent.deny": "Nicht erlauben",
  "consent.eitherWay": "In beiden Fällen geht es zurück zu {client}.",
  "consent.privacyPolicy": "Datenschutzerklärung von {client}",
  "consent.terms": "Nutzungsbedingungen von {client}",
  "consent.assure":
    "**{client} kann Ihr Passwort nicht sehen,** Ihr Konto nicht ändern und sich nirgendwo sonst als Sie anmelden.",

  "signOut.title": "Abmelden?",
  "signOut.signedInAs": "Angemeldet als **{email}**.",
  "signOut.confirm": "Abmelden",
  "signOut.stay": "Angemeldet bleiben",
  "signOut.assure": "**An einem fremden Computer?** Schließen Sie nach dem Abmelden das Browserfenster.",

  "signedOut.title": "Sie sind abgemeldet",
  "signedOut.lede": "Von diesem Browser aus kann niemand Ihr Konto benutzen, bis Sie sich wieder anmelden.",
  "signedOut.assure": "**An einem fremden Computer?** Schließen Sie auch dieses Browserfenster.",
  "signedOut.signInAgain": "Wieder anmelden",
} as const satisfies Record<keyof typeof english, string>;
