import type { factors as english } from "../en/factors.ts";

export const factors = {
  "factor.signingInAs": "Anmeldung als {email}",
  "factor.locked":
    "Zu viele falsche Codes, deshalb gelten Codes hier nicht mehr. Benutzen Sie einen Passkey oder ein Gerät, das Sie schon benutzt haben, oder fragen Sie die Betreiber dieses Dienstes.",
  "factor.paused": "Zu viele falsche Codes. Sie können es {when} noch einmal versuchen.",
  "factor.elsewhere": "Gerade nicht zur Hand?",
  "factor.useApp": "Authenticator-App verwenden",
  "factor.useRecoveryCode": "Wiederherstellungscode verwenden",
  "factor.usePasskey": "Passkey verwenden",
  "factor.notNow": "Jetzt nicht",
  "factor.continue": "Weiter",
  "factor.needsMore": "**{client}** möchte einen weiteren Nachweis, dass Sie es sind.",
  "factor.needsMoreForAccount": "Bevor es weitergeht: ein weiterer Nachweis, dass Sie es sind.",

  "secondFactor.title": "Code eingeben",
  "secondFactor.lede": "Öffnen Sie Ihre Authenticator-App und geben Sie die 6 Ziffern ein, die sie für {brand} zeigt.",
  "secondFactor.trust": "Auf diesem Gerät nicht mehr fragen",
  "secondFactor.trust.hint": "Für {days} Tage. Nicht auf einem Gerät, das auch andere benutzen.",
  "secondFactor.assure.title": "Niemand von {brand} wird Sie je nach diesem Code fragen.",
  "secondFactor.assure.text":
    "Wer es doch tut, am Telefon oder in einer Nachricht, versucht, in Ihr Konto zu gelangen.",

  "field.code": "6-stelliger Code",
  "field.code.hint": "Alle 30 Sekunden erscheint ein neuer. Leerzeichen stören nicht.",
  "field.code.missing": "Geben Sie die 6 Ziffern ein.",
  "field.code.wrong": "Dieser Code ist abgelaufen, schon benutzt oder falsch eingetippt. Geben Sie den neuesten ein.",
  "field.recoveryCode": "Wiederherstellungscode",
  "field.recoveryCode.hint": "8 Buchstaben und Ziffern. Bindestriche und Großschreibung spielen keine Rolle.",
  "field.recoveryCode.missing": "Geben Sie einen Ihrer Wiederherstellungscodes ein.",
  "field.recoveryCode.wrong": "Das ist keiner Ihrer noch gültigen Codes. Prüfen Sie ihn oder nehmen Sie einen anderen.",
  "field.deviceName": "Name",
  "field.deviceName.hint": "Damit Sie es später wiedererkennen.",
  "field.deviceName.invalid": "Nehmen Sie 1 bis 60 sichtbare Zeichen.",
  "field.saved": "Ich habe meine Codes sicher aufbewahrt",
  "field.saved.missing": "Sichern Sie zuerst Ihre Codes und setzen Sie dann das Häkchen.",

  "recoveryCode.title": "Wiederherstellungscode verwenden",
  "recoveryCode.lede":
    "Geben Sie einen der Codes ein, die Sie beim Einrichten des zweiten Schritts gesichert haben. Jeder gilt einmal.",
  "recoveryCode.assure":
    "**Keine Codes und kein Gerät mehr?** Wenden Sie sich an die Betreiber dieser Seite. Sie können Ihren zweiten Schritt zurücksetzen.",

  "recoveryUsed.title": "Sie sind angemeldet",
  "recoveryUsed.one": "Sie haben noch **1** Wiederherstellungscode. Erstellen Sie auf Ihrer Kontoseite bald neue.",
  "recoveryUsed.many": "Sie haben noch **{left}** Wiederherstellungscodes.",
  "recoveryUsed.none": "Das war Ihr letzter Wiederherstellungscode. Erstellen Sie jetzt auf Ihrer Kontoseite neue.",
  "recoveryUsed.lost":
    "Gerät verloren? Entfernen Sie es auf Ihrer Kontoseite unter „Anmeldewege“ und fügen Sie Ihr neues hinzu.",

  "passkey.title": "Passkey verwenden",
  "passkey.lede": "Ihr Browser fragt gleich nach Fingerabdruck, Gesicht oder PIN.",
  "passkey.button": "Passkey verwenden",
  "passkey.noScript":
    "**Passkeys brauchen JavaScript,** und in diesem Browser ist es aus. Die anderen Wege funktionieren auch ohne.",
  "passkey.unsupported": "Dieser Browser kann keine Passkeys verwenden. Wählen Sie einen anderen Weg.",
  "passkey.canceled": "Vom Browser kam nichts. Versuchen Sie es noch einmal oder wählen Sie einen anderen Weg.",
  "passkey.refused":
    "Dieser Passkey funktioniert hier nicht. Nehmen Sie einen anderen oder wählen Sie einen anderen Weg.",
  "passkey.usePassword": "Passwort verwenden",
  "passkey.assure":
    "**Einen Passkey kann niemand abfischen.** Er gilt nur auf dieser Seite, und Fingerabdruck, Gesicht oder PIN verlassen Ihr Gerät nie.",

  "enrollApp.title": "Authenticator-App hinzufügen",
  "enrollApp.lede": "Sie zeigt für jede Anmeldung einen neuen Code, auch ohne Netz.",
  "enrollApp.needed": "**{client}** verlangt einen zweiten Schritt, damit ein gestohlenes Passwort nicht genügt.",
  "enrollApp.neededForAccount": "Hier brauchen Sie einen zweiten Schritt, damit ein gestohlenes Passwort nicht genügt.",
  "enrollApp.scan": "Mit der App scannen",
  "enrollApp.qr": "QR-Code, der {brand} in Ihre Authenticator-App aufnimmt. Der Schlüssel darunter bewirkt dasselbe.",
  "enrollApp.key": "Scannen geht nicht? Geben Sie diesen Schlüssel ein:",
  "enrollApp.key.hint":
    "Zeitbasiert, 6 Ziffern, 30 Sekunden. Ein Klick oder langes Drücken wählt den ganzen Schlüssel aus.",
  "enrollApp.confirm": "Den angezeigten Code eingeben",
  "enrollApp.button": "Einschalten",
  "enrollApp.defaultName": "Authenticator-App",
  "enrollApp.expired":
    "Das hat eine Weile gedauert, darum steht hier ein neuer Schlüssel. Scannen Sie diesen und geben Sie dann den Code ein.",
  "enrollApp.passkeyInstead": "Lieber einen Passkey hinzufügen",
  "enrollApp.assure":
    "**Jede Authenticator-App ist geeignet.** Vielleicht hat der Passwortmanager Ihres Telefons schon eine.",
  "enrollApp.assure.next": "Danach bekommen Sie Wiederherstellungscodes, falls das Telefon verloren geht.",

  "enrollPasskey.title": "Passkey hinzufügen",
  "enrollPasskey.lede":
    "Beim nächsten Mal melden Sie sich mit Fingerabdruck, Gesicht oder PIN an. Nichts zu tippen, nichts zu stehlen.",
  "enrollPasskey.defaultName": "Passkey",
  "enrollPasskey.button": "Passkey anlegen",
  "enrollPasskey.refused":
    "Das hat nicht geklappt. Vielleicht haben Sie diesen Passkey schon. Versuchen Sie es noch einmal oder wählen Sie einen anderen Weg.",
  "enrollPasskey.appInstead": "Lieber eine Authenticator-App hinzufügen",

  "recoveryCodes.title": "Wiederherstellungscodes sichern",
  "recoveryCodes.lede": "Wenn Sie Ihr Telefon verlieren, kommen Sie mit einem davon in Ihr Konto. Jeder gilt einmal.",
  "recoveryCodes.list": "Wiederherstellungscodes",
  "recoveryCodes.of": "Konto: {email} · {host} · Erstellt am {date}",
  "recoveryCodes.select": "Ein Klick oder langes Drücken wählt alle Codes zum Kopieren aus.",
  "recoveryCodes.download": "Herunterladen",
  "recoveryCodes.print": "Drucken …",
  "recoveryCodes.warning":
    "Wir können sie nicht noch einmal zeigen. Bewahren Sie sie in einem Passwortmanager oder auf Papier auf, nicht auf dem Telefon mit der App.",
  "recoveryCodes.button": "Fertig",
  "recoveryCodes.assure":
    "**Ein Code ist so gut wie Ihr Telefon.** Wer Ihr Passwort und einen davon hat, kann sich an Ihrer Stelle anmelden.",
  "recoveryCodes.assure.again": "Neue erstellt? Dann gelten die alten nicht mehr.",
} as const satisfies Record<keyof typeof english, string>;
