import type { failures as english } from "../en/failures.ts";

export const failures = {
  "failure.reference": "Référence",
  "failure.when": "Date et heure",
  "failure.help": "Vous n’avancez pas ? Demandez de l’aide et donnez la référence. Elle ne dit rien de vous.",
  "failure.noHelp": "Vous n’avancez pas ? Donnez cette référence à qui gère ce site. Elle ne dit rien de vous.",
  "failure.askForHelp": "Demander de l’aide",
  "failure.retry": "Vous pouvez réessayer {when}.",
  "failure.tabs": "Si **{client}** est ouvert dans plusieurs onglets, fermez d’abord les plus anciens.",

  "failure.expired.title": "Cette connexion a expiré",
  "failure.expired.text":
    "Elle est restée ouverte trop longtemps ou s’est terminée dans un autre onglet. Votre compte n’est pas en cause.",
  "failure.notFound.title": "Cette page n’existe pas",
  "failure.notFound.text": "L’adresse est peut-être mal tapée, ou la page a été déplacée.",
  "failure.method.title": "Ce n’est pas possible ici",
  "failure.method.text": "Cette adresse existe, mais elle ne fait pas ce qui lui est demandé.",
  "failure.tooLarge.title": "C’était trop",
  "failure.tooLarge.text":
    "L’envoi est plus long que ce que cette page accepte. Revenez en arrière et raccourcissez-le.",
  "failure.form.title": "Ce formulaire n’est plus à jour",
  "failure.form.text":
    "Il ne vient pas de la page dont il fait partie. Rien n’a été modifié. Ouvrez la page à nouveau.",
  "failure.input.title": "Nous n’avons pas compris",
  "failure.input.text": "Il manque quelque chose dans la demande, ou une partie est illisible. Rien n’a été modifié.",
  "failure.busy.title": "Beaucoup de monde en ce moment",
  "failure.busy.text":
    "Plus de personnes se connectent que nous ne pouvons en servir à la fois. Votre compte n’est pas en cause.",
  "failure.sessions.title": "Trop d’appareils connectés",
  "failure.sessions.text":
    "Votre compte est ouvert sur autant d’appareils qu’il est permis. Déconnectez-en un dont vous n’avez pas besoin, puis réessayez ici.",
  "failure.throttled.title": "Trop d’essais",
  "failure.throttled.text": "Pour protéger les comptes, nous faisons une pause après plusieurs essais.",
  "failure.unavailable.title": "Nos données sont hors d’atteinte",
  "failure.unavailable.text": "Cela vient de nous et passe en général vite. Votre compte n’est pas en cause.",
  "failure.server.title": "Quelque chose n’a pas marché",
  "failure.server.text": "Cela vient de nous. Votre compte n’est pas en cause.",
  "failure.app.title": "Cette application ne peut pas vous connecter ici",
  "failure.app.text":
    "Elle n’est pas connue ici, ou elle est mal configurée. Seules les personnes qui la gèrent peuvent y remédier.",
  "failure.request.title": "Cette connexion ne peut pas continuer",
  "failure.request.text":
    "Dans ce que l’application a envoyé, quelque chose manque ou n’est pas permis. Votre compte n’est pas en cause.",
  "failure.denied.title": "La connexion n’a pas eu lieu",
  "failure.denied.text": "Elle a été arrêtée avant la fin. Rien n’a été partagé.",
} as const satisfies Record<keyof typeof english, string>;
