import type { failures as english } from "../en/failures.ts";

export const failures = {
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
} as const satisfies Record<keyof typeof english, string>;
