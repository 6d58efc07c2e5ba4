import type { byMail as english } from "../en/by-mail.ts";

export const byMail = {
  "mail.why.typed": "Sie bekommen diese E-Mail, weil jemand {email} bei {brand} eingegeben hat.",
  "mail.why.invited": "Sie bekommen diese E-Mail, weil {email} zu {brand} eingeladen wurde.",
  "mail.proof.how":
    "Geben Sie diesen Code dort ein, wo danach gefragt wurde, oder folgen Sie dem Link. Beides geht einmal und eine halbe Stunde lang.",
  "mail.proof.notYou":
    "Wenn Sie das nicht waren, tun Sie nichts: Ohne Code und Link kommt niemand weiter. Geben Sie beides nicht weiter, auch nicht an jemanden, der vorgibt, von uns zu sein.",
  "mail.registration.subject": "{code} ist Ihr Code für {brand}",
  "mail.registration.text": "Jemand, hoffentlich Sie, möchte mit dieser E-Mail-Adresse ein Konto bei {brand} anlegen.",
  "mail.registration.button": "Konto anlegen",
  "mail.invitation.subject": "Einladung zu {brand}",
  "mail.invitation.text":
    "Bei {brand} ist ein Platz für Sie vorgemerkt. Über den Link wählen Sie ein Passwort. Er gilt einmal und eine Woche lang.",
  "mail.invitation.notYou":
    "Wenn Sie damit nichts anfangen können, ignorieren Sie es: Ohne den Link entsteht kein Konto.",
  "mail.email.subject": "{code} ist Ihr Code für {brand}",
  "mail.email.text": "Bestätigen Sie, dass dies die E-Mail-Adresse Ihres Kontos bei {brand} ist.",
  "mail.email.button": "Adresse bestätigen",
  "mail.emailChanged.subject": "Die E-Mail-Adresse Ihres Kontos bei {brand} wurde geändert",
  "mail.emailChanged.text":
    "Ihr Konto bei {brand} hat jetzt eine andere E-Mail-Adresse. Sie melden sich mit der neuen an; an diese hier schreiben wir nicht mehr.",
  "mail.emailChanged.notYou":
    "Wenn Sie das nicht waren, folgen Sie innerhalb von drei Tagen dem Link: Diese Adresse gilt dann wieder, alle werden abgemeldet, und Sie wählen ein neues Passwort.",
  "mail.emailChanged.button": "Änderung rückgängig machen",
  "mail.passwordReset.subject": "{code} ist Ihr Code für {brand}",
  "mail.passwordReset.text": "Jemand, hoffentlich Sie, möchte für Ihr Konto bei {brand} ein neues Passwort wählen.",
  "mail.passwordReset.notYou":
    "Wenn Sie das nicht waren, tun Sie nichts: Ihr Passwort bleibt, wie es ist. Geben Sie Code und Link nicht weiter, auch nicht an jemanden, der vorgibt, von uns zu sein.",
  "mail.passwordReset.button": "Neues Passwort wählen",
  "mail.haveAccount.subject": "Sie haben schon ein Konto bei {brand}",
  "mail.haveAccount.text":
    "Jemand wollte diese E-Mail-Adresse für ein Konto bei {brand} verwenden. Es gibt schon eines, also wurde nichts geändert.",
  "mail.haveAccount.advice":
    "Wenn Sie das waren, melden Sie sich an. Ist das Passwort vergessen, hilft die Anmeldeseite weiter. Wenn nicht, ist nichts zu tun.",
  "mail.haveAccount.button": "Anmelden",
  "mail.noAccount.subject": "Kein Konto bei {brand} mit dieser E-Mail-Adresse",
  "mail.noAccount.text":
    "Jemand wollte bei {brand} mit dieser E-Mail-Adresse ein neues Passwort wählen. Es gibt kein Konto, an dem sie sich anmelden könnte.",
  "mail.noAccount.advice":
    "Wenn Sie das waren, versuchen Sie es mit einer anderen Adresse, die Sie verwendet haben könnten. Wenn nicht, ist nichts zu tun.",
  "mail.noAccount.button": "Andere Adresse versuchen",

  "signIn.forgot": "Passwort vergessen?",
  "createAccount.email.lede": "Wir schicken Ihnen zuerst eine E-Mail, damit sicher ist, dass sie ankommt.",
  "createAccount.email.button": "E-Mail schicken",
  "createAccount.closed.title": "Nur mit Einladung",
  "createAccount.closed.text":
    "Konten gibt es hier auf Einladung. Bitten Sie die Betreiber um eine und folgen Sie dem Link in der E-Mail.",

  "mailCode.title": "Schauen Sie in Ihre E-Mail",
  "mailCode.lede":
    "Wir haben eine E-Mail an **{email}** geschickt. Geben Sie hier den Code ein, oder folgen Sie auf irgendeinem Gerät ihrem Link.",
  "mailCode.assure":
    "**Wir fragen nie nach diesem Code,** weder am Telefon noch in einem Chat. Er gehört auf diese Seite und nirgends sonst hin.",
  "mailCode.again": "Nach einer Minute noch nichts da? Schauen Sie in den Spam, dann",
  "mailCode.again.link": "fordern Sie eine neue E-Mail an",
  "mailCode.over": "Dieser Code gilt nicht mehr. Fordern Sie eine neue E-Mail an.",
  "field.mailCode": "Code aus der E-Mail",
  "field.mailCode.hint": "Sechs Ziffern.",
  "field.mailCode.missing": "Geben Sie die sechs Ziffern aus der E-Mail ein.",
  "field.mailCode.wrong": "Das ist nicht der Code. Schauen Sie in die neueste E-Mail.",

  "newAccount.title": "Fast geschafft",
  "newAccount.lede": "**{email}** ist bestätigt. Wählen Sie noch Namen und Passwort.",
  "newAccount.done.title": "Ihr Konto ist angelegt",
  "newAccount.done.lede": "Melden Sie sich mit Ihrer E-Mail-Adresse und dem eben gewählten Passwort an.",
  "newAccount.taken": "Zu dieser Adresse gibt es inzwischen ein Konto. Melden Sie sich damit an.",

  "reset.title": "Passwort vergessen?",
  "reset.lede": "Geben Sie Ihre E-Mail-Adresse ein, und wir schicken Ihnen, was Sie für ein neues brauchen.",
  "reset.button": "E-Mail schicken",
  "reset.back": "Zurück zur Anmeldung",
  "reset.new.title": "Neues Passwort wählen",
  "reset.new.lede": "Für das Konto von **{email}**. Sie werden danach überall abgemeldet, auch in Apps.",
  "reset.new.button": "Passwort ändern und überall abmelden",
  "reset.done.title": "Ihr Passwort ist geändert",
  "reset.done.lede": "Sie sind auf allen Geräten abgemeldet. Melden Sie sich mit dem neuen Passwort an.",
  "reset.done.assure":
    "**Nicht sicher, warum das alte nicht mehr ging?** Schauen Sie nach dem Anmelden Ihre Aktivität und Ihre Geräte an.",
  "way.continueSignIn": "Weiter zur Anmeldung",

  "email.title": "Ihre E-Mail-Adresse",
  "email.lede": "Mit ihr melden Sie sich an, und an sie schreiben wir, wenn an Ihrem Konto etwas geschieht.",
  "email.confirm.title": "Adresse bestätigen",
  "email.confirm.text": "Wir schicken eine E-Mail an **{email}**, mit einem Code, den Sie hier eingeben.",
  "email.confirm.button": "E-Mail schicken",
  "email.confirm.lede": "Gehört **{email}** Ihnen? Dann bestätigen Sie die Adresse.",
  "email.confirm.elsewhere": "Öffnen Sie den Link in dem Browser, in dem Sie sich anmelden, oder geben Sie dort den Code aus der E-Mail ein.",
  "email.change.title": "Andere Adresse verwenden",
  "email.change.text":
    "Sie gilt, sobald Sie sie dort bestätigt haben. Die bisherige bekommt Bescheid und kann die Änderung drei Tage lang rückgängig machen.",
  "email.change.button": "E-Mail an die neue schicken",
  "field.newEmail": "Neue E-Mail-Adresse",
  "email.use.title": "Diese Adresse verwenden?",
  "email.use.lede": "**{email}** wird die E-Mail-Adresse Ihres Kontos. Sie melden sich dann mit ihr an.",
  "email.use.button": "Ja, verwenden",
  "email.taken": "Diese Adresse kann nicht verwendet werden. Nehmen Sie eine andere.",
  "account.change.email": "Ihre E-Mail-Adresse",
  "account.confirm": "Bestätigen",
  "notice.emailVerified": "Ihre E-Mail-Adresse ist bestätigt.",
  "notice.emailChanged": "Ihre E-Mail-Adresse ist geändert. Melden Sie sich ab jetzt mit der neuen an.",

  "undo.title": "Änderung der Adresse rückgängig machen?",
  "undo.lede": "Ihr Konto bekommt **{email}** zurück. Alle werden abgemeldet, das bisherige Passwort gilt nicht mehr, und Sie wählen gleich ein neues.",
  "undo.button": "Ja, rückgängig machen",

  "failure.link.title": "Dieser Link gilt nicht mehr",
  "failure.link.text":
    "Links gelten einmal und nur für eine Weile. Vielleicht wurde er schon benutzt, oder ein neuerer ist an seine Stelle getreten.",
} as const satisfies Record<keyof typeof english, string>;
