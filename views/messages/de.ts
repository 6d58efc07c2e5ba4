import type { Catalogue } from "./index.ts";

/** Deutsch. Same keys and slots as the English catalogue; a test compares them. */
export const de = {
  verbatim: "{text}",

  "layout.skipToForm": "Zum Formular springen",
  "layout.skipToMain": "Zum Inhalt springen",
  "layout.assure": "Gut zu wissen",
  "layout.errorPrefix": "Fehler:",
  "layout.titleWithError": "Fehler: {title} – {brand}",
  "layout.title": "{title} – {brand}",
  "layout.help": "Hilfe",
  "layout.privacy": "Datenschutz",

  "summary.one": "Eine Angabe fehlt oder stimmt nicht",
  "summary.many": "{count} Angaben fehlen oder stimmen nicht",

  "field.email": "E-Mail-Adresse",
  "field.email.invalid": "Geben Sie Ihre vollständige E-Mail-Adresse ein, etwa maya@example.com.",
  "field.email.taken":
    "Zu dieser E-Mail-Adresse gibt es schon ein Konto. Melden Sie sich damit an oder nehmen Sie eine andere.",
  "field.name": "Ihr Name",
  "field.name.hint": "So, wie Apps ihn zeigen sollen.",
  "field.name.missing": "Geben Sie Ihren Namen ein.",
  "field.name.invalid": "Nehmen Sie höchstens 200 Buchstaben, Ziffern und Zeichen, die man sehen kann.",
  "field.password": "Passwort",
  "field.password.missing": "Geben Sie Ihr Passwort ein.",
  "field.newPassword.hint":
    "Mindestens 12 Zeichen. Gut sind ein paar Wörter, die nichts miteinander zu tun haben; Leerzeichen sind erlaubt.",
  "field.newPassword.missing": "Wählen Sie ein Passwort.",
  "field.newPassword.tooShort": "Nehmen Sie mindestens 12 Zeichen.",
  "field.newPassword.tooLong": "Dieses Passwort ist zu lang. Nehmen Sie höchstens 1.000 Zeichen.",
  "field.newPassword.tooCommon":
    "Viele Menschen benutzen dieses Passwort, es wird deshalb früh erraten. Wählen Sie ein anderes.",
  "field.newPassword.ownWords":
    "Dieses Passwort besteht aus Ihrem Namen oder Ihrer E-Mail-Adresse. Wählen Sie etwas, das nicht dazu passt.",
  "field.newPassword.unacceptable": "Dieses Passwort ist nicht möglich. Wählen Sie ein anderes.",

  "client.askedToSignOut": "möchte Sie abmelden",

  "signIn.title": "Anmelden",
  "signIn.toClient": "und weiter zu **{client}**",
  "signIn.toAccount": "und weiter zu Ihrem {brand}-Konto",
  "signIn.again":
    "Angemeldet als **{email}**. Damit sicher ist, dass Sie es sind, fragt **{client}** noch einmal nach Ihrem Passwort.",
  "signIn.againForAccount":
    "Angemeldet als **{email}**. Damit sicher ist, dass Sie es sind, geben Sie Ihr Passwort noch einmal ein.",
  "signIn.button": "Anmelden",
  "signIn.newHere": "Neu hier?",
  "signIn.createAccount": "Konto anlegen",
  "signIn.mismatch": "E-Mail-Adresse und Passwort passen nicht zusammen. Prüfen Sie beides und versuchen Sie es noch einmal.",
  "signIn.throttled": "Zu viele Versuche. Sie können es {when} noch einmal versuchen.",
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

  "way.backToClient": "Zurück zu {client}",
  "way.continueToClient": "Weiter zu {client}",
  "way.startAgainAtClient": "Bei {client} neu beginnen",
  "way.signInAgain": "Neu anmelden",
  "way.tryAgain": "Noch einmal versuchen",
  "way.toAccount": "Zu Ihrem Konto",
  "way.toStart": "Zur Startseite",

  "failure.reference": "Kennzeichen",
  "failure.when": "Zeitpunkt",
  "failure.help": "Kommen Sie nicht weiter? Fragen Sie nach Hilfe und nennen Sie das Kennzeichen. Es sagt nichts über Sie.",
  "failure.noHelp":
    "Kommen Sie nicht weiter? Nennen Sie denen, die diese Seite betreiben, das Kennzeichen. Es sagt nichts über Sie.",
  "failure.askForHelp": "Hilfe",
  "failure.retry": "Sie können es {when} noch einmal versuchen.",
  "failure.tabs": "Wenn **{client}** in mehreren Tabs offen ist, schließen Sie zuerst die älteren.",

  "failure.expired.title": "Diese Anmeldung ist abgelaufen",
  "failure.expired.text":
    "Sie war zu lange offen oder wurde in einem anderen Tab beendet. Mit Ihrem Konto ist alles in Ordnung.",
  "failure.notFound.title": "Diese Seite gibt es nicht",
  "failure.notFound.text": "Vielleicht ist die Adresse vertippt oder die Seite ist umgezogen.",
  "failure.method.title": "Das geht hier nicht",
  "failure.method.text": "Die Adresse gibt es, aber was verlangt wurde, kann sie nicht.",
  "failure.tooLarge.title": "Das war zu viel",
  "failure.tooLarge.text": "Es wurde mehr gesendet, als diese Seite annimmt. Gehen Sie zurück und kürzen Sie es.",
  "failure.form.title": "Dieses Formular ist veraltet",
  "failure.form.text":
    "Es kam nicht von der Seite, zu der es gehört. Es wurde nichts geändert. Öffnen Sie die Seite noch einmal.",
  "failure.input.title": "Das war nicht zu verstehen",
  "failure.input.text": "In der Anfrage fehlt etwas oder etwas ist unleserlich. Es wurde nichts geändert.",
  "failure.busy.title": "Gerade ist sehr viel los",
  "failure.busy.text": "Es melden sich mehr Menschen an, als wir zugleich bedienen können. Mit Ihrem Konto ist alles in Ordnung.",
  "failure.sessions.title": "Auf zu vielen Geräten angemeldet",
  "failure.sessions.text":
    "Sie sind auf so vielen Geräten angemeldet, wie es für Ihr Konto erlaubt ist. Melden Sie sich auf einem ab, das Sie nicht brauchen, und versuchen Sie es hier noch einmal.",
  "failure.throttled.title": "Zu viele Versuche",
  "failure.throttled.text": "Um Konten zu schützen, machen wir nach mehreren Versuchen eine Pause.",
  "failure.unavailable.title": "Wir erreichen unsere Daten nicht",
  "failure.unavailable.text": "Das liegt an uns und geht meist schnell vorbei. Mit Ihrem Konto ist alles in Ordnung.",
  "failure.server.title": "Etwas ist schiefgegangen",
  "failure.server.text": "Das liegt an uns. Mit Ihrem Konto ist alles in Ordnung.",
  "failure.app.title": "Diese App kann Sie hier nicht anmelden",
  "failure.app.text":
    "Sie ist hier nicht bekannt oder nicht richtig eingerichtet. Das können nur die beheben, die sie betreiben.",
  "failure.request.title": "Diese Anmeldung kann nicht weitergehen",
  "failure.request.text":
    "In dem, was die App gesendet hat, fehlt etwas oder ist etwas nicht erlaubt. Mit Ihrem Konto ist alles in Ordnung.",
  "failure.denied.title": "Nicht angemeldet",
  "failure.denied.text": "Die Anmeldung wurde vor dem Ende abgebrochen. Es wurde nichts weitergegeben.",

  "account.title": "Ihr Konto",
  "account.nav": "Ihr Konto",
  "account.profile": "Profil",
  "account.greeting": "Guten Tag, {name}",
  "account.lede": "Das wissen wir über Sie, und das sehen Apps, wenn Sie es freigeben.",
  "account.about": "Über Sie",
  "account.about.lede": "Nur für Apps, denen Sie es erlauben.",
  "account.name": "Name",
  "account.email": "E-Mail-Adresse",
  "account.signOut": "Abmelden",

  "start.title": "Willkommen",
  "start.heading": "Eine Anmeldung für alle Ihre Apps",
  "start.lede": "{brand} bewahrt Ihr Konto auf, damit Apps Ihr Passwort nie sehen.",
  "start.account": "Zu Ihrem Konto",
  "start.createAccount": "Konto anlegen",
  "start.demo": "Demo-App öffnen",
  "start.trial.title": "Das ist ein Probebetrieb",
  "start.trial.text": "Alles läuft auf diesem Computer und liegt in einem Ordner. Nehmen Sie erfundene Konten.",
  "start.trial.demo": "Die Demo-App meldet Sie hier an und ruft dann mit dem, was sie bekommen hat, einen eigenen Dienst auf.",
  "start.assure": "Melden Sie sich nur an, wo in der Adresszeile **{host}** steht.",
} as const satisfies Catalogue;
