import type { layout as english } from "../en/layout.ts";

export const layout = {
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
  "field.newPassword.unacceptable": "Dieses Passwort geht nicht. Wählen Sie ein anderes.",

  "client.askedToSignOut": "möchte Sie abmelden",

  "way.backToClient": "Zurück zu {client}",
  "way.continueToClient": "Weiter zu {client}",
  "way.signInAgain": "Neu anmelden",
  "way.tryAgain": "Noch einmal versuchen",
  "way.toAccount": "Zu Ihrem Konto",
  "way.toStart": "Zur Startseite",

  "start.title": "Willkommen",
  "start.heading": "Eine Anmeldung für alle Ihre Apps",
  "start.lede": "{brand} bewahrt Ihr Konto auf, damit Apps Ihr Passwort nie sehen.",
  "start.account": "Zu Ihrem Konto",
  "start.createAccount": "Konto anlegen",
  "start.demo": "Demo-App öffnen",
  "start.trial.title": "Das ist ein Probebetrieb",
  "start.trial.text": "Alles läuft auf diesem Computer und liegt in einem Ordner. Nehmen Sie erfundene Konten.",
  "start.trial.mail": "E-Mails bleiben hier: Postfach öffnen",
  "start.trial.demo": "Die Demo-App meldet Sie hier an und ruft dann mit dem, was sie bekommen hat, einen eigenen Dienst auf.",
  "start.assure": "Melden Sie sich nur an, wo in der Adresszeile **{host}** steht.",
} as const satisfies Record<keyof typeof english, string>;
