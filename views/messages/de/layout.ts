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
    "Mindestens {count} Zeichen. Gut sind ein paar Wörter, die nichts miteinander zu tun haben; Leerzeichen sind erlaubt.",
  "field.newPassword.missing": "Wählen Sie ein Passwort.",
  "field.newPassword.tooShort": "Nehmen Sie mindestens {count} Zeichen.",
  "field.newPassword.tooLong": "Dieses Passwort ist zu lang. Nehmen Sie höchstens 1.000 Zeichen.",
  "field.newPassword.tooCommon":
    "Viele Menschen benutzen dieses Passwort, es wird deshalb früh erraten. Wählen Sie ein anderes.",
  "field.newPassword.ownWords":
    "Dieses Passwort besteht aus Ihrem Namen oder Ihrer E-Mail-Adresse. Wählen Sie etwas, das nicht dazu passt.",
  "field.newPassword.tooWeak":
    "Dieses Passwort ist leicht zu erraten. Fügen Sie ein, zwei Wörter hinzu, die mit dem Rest nichts zu tun haben.",
  "field.newPassword.breached":
    "Dieses Passwort stand in Daten, die anderswo entwendet wurden, und wird deshalb ausprobiert. Wählen Sie ein anderes, und ändern Sie es überall, wo Sie es benutzen.",
  "strength.title": "Stärke:",
  "strength.level.0": "sofort erraten",
  "strength.level.1": "sehr schwach",
  "strength.level.2": "schwach",
  "strength.level.3": "gut",
  "strength.level.4": "stark",
  "strength.ownWord": "Ihr Name und Ihre E-Mail-Adresse werden zuerst ausprobiert.",
  "strength.commonPassword": "Ein Teil davon ist ein Passwort, das viele Menschen benutzen.",
  "strength.name": "Namen von Menschen werden früh ausprobiert.",
  "strength.word": "Ein gängiges Wort allein wird früh ausprobiert.",
  "strength.keyboard": "Tasten, die nebeneinander liegen, werden früh ausprobiert.",
  "strength.sequence": "Folgen wie abcd oder 4321 werden früh ausprobiert.",
  "strength.repetition": "Etwas zu wiederholen bringt fast nichts.",
  "strength.date": "Daten und Jahreszahlen werden früh ausprobiert.",
  "strength.tooLittleElse": "Zu wenig davon ist unvorhersehbar.",
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
