import type { mail as english } from "../en/mail.ts";

export const mail = {
  "mail.why": "Sie erhalten diese E-Mail, weil {email} die Adresse eines Kontos bei {brand} ist.",
  "mail.noReply": "Antworten auf diese E-Mail liest niemand.",
  "mail.fact": "{label}: {value}",
  "mail.fact.label": "{label}:",
  "mail.when": "Wann",
  "mail.device": "Gerät",
  "mail.place": "Von",
  "mail.app": "App",
  "mail.notYou":
    "Wenn Sie das waren, ist nichts zu tun. Wenn nicht, öffnen Sie die Seite unten: Dort steht, was zuerst zu tun ist.",
  "mail.notYou.button": "Das war ich nicht",

  "mail.newDevice.subject": "Neue Anmeldung an Ihrem Konto bei {brand}",
  "mail.newDevice.text": "Jemand hat sich bei Ihrem Konto mit einem Browser angemeldet, den wir dort noch nicht gesehen haben.",
  "mail.passwordChanged.subject": "Ihr Passwort bei {brand} wurde geändert",
  "mail.passwordChanged.text": "Das Passwort Ihres Kontos wurde geändert.",
  "mail.factorAdded.subject": "Neue Anmeldemethode für Ihr Konto bei {brand}",
  "mail.factorAdded.app": "Ihrem Konto wurde eine Authenticator-App hinzugefügt. Mit ihren Codes kann man sich anmelden.",
  "mail.factorAdded.passkey": "Ihrem Konto wurde ein Passkey hinzugefügt. Mit ihm kann man sich anmelden.",
  "mail.factorRemoved.subject": "Anmeldemethode von Ihrem Konto bei {brand} entfernt",
  "mail.factorRemoved.app": "Eine Authenticator-App wurde von Ihrem Konto entfernt. Ihre Codes gelten nicht mehr.",
  "mail.factorRemoved.passkey": "Ein Passkey wurde von Ihrem Konto entfernt. Er gilt nicht mehr.",
  "mail.recoveryCodeUsed.subject": "Ein Wiederherstellungscode Ihres Kontos bei {brand} wurde benutzt",
  "mail.recoveryCodeUsed.text": "Jemand hat sich mit einem Ihrer Wiederherstellungscodes angemeldet.",
  "mail.recoveryCodeUsed.left": "Übrige Codes: {count}. Neue bekommen Sie auf der Seite Ihres Kontos.",
  "mail.accessReused.subject": "Wir haben einer App den Zugriff auf Ihr Konto bei {brand} genommen",
  "mail.accessReused.text":
    "{client} kam mit einem Schlüssel zu Ihrem Konto, der schon einmal abgegeben worden war. Dann haben ihn vielleicht zwei, und so haben wir beiden den Zugriff genommen.",
  "mail.accessReused.advice":
    "Meist hat eine App einen Fehler gemacht, und es genügt, sich dort neu anzumelden. Geschieht es wieder, oder kennen Sie die App nicht, öffnen Sie die Seite unten.",
  "mail.factorsReset.subject": "Die Anmeldemethoden Ihres Kontos bei {brand} wurden entfernt",
  "mail.factorsReset.text":
    "Die Betreiber von {brand} haben alle Authenticator-Apps, Passkeys und Wiederherstellungscodes von Ihrem Konto entfernt. Ab jetzt genügt Ihr Passwort, bis Sie wieder eine Anmeldemethode hinzufügen.",
  "mail.factorsReset.notYou":
    "Wenn Sie nicht darum gebeten haben, öffnen Sie die Seite unten: Dort steht, was zuerst zu tun ist.",

  "mailbox.title": "Postfach",
  "mailbox.lede": "Dieser Server ist zum Ausprobieren und verschickt keine E-Mails. Was er verschickt hätte, ist hier, bis er anhält.",
  "mailbox.none": "Noch ist keine E-Mail da. Melden Sie sich zum Beispiel mit einem anderen Browser an.",
  "mailbox.to": "An {email}",
  "mailbox.asText": "Als Text",
  "mailbox.asHtml": "Als HTML",
  "mailbox.open": "Auf einer eigenen Seite öffnen",
  "mailbox.back": "Alle E-Mails",
} as const satisfies Record<keyof typeof english, string>;
