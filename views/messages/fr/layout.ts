import type { layout as english } from "../en/layout.ts";

export const layout = {
  verbatim: "{text}",

  "layout.skipToForm": "Aller au formulaire",
  "layout.skipToMain": "Aller au contenu",
  "layout.assure": "Bon à savoir",
  "layout.errorPrefix": "Erreur :",
  "layout.titleWithError": "Erreur : {title} – {brand}",
  "layout.title": "{title} – {brand}",
  "layout.help": "Aide",
  "layout.privacy": "Confidentialité",

  "summary.one": "Un point à corriger",
  "summary.many": "{count} points à corriger",

  "field.email": "Adresse e-mail",
  "field.email.invalid": "Saisissez votre adresse e-mail complète, comme maya@example.com.",
  "field.email.taken": "Un compte existe déjà avec cette adresse e-mail. Connectez-vous, ou prenez-en une autre.",
  "field.name": "Votre nom",
  "field.name.hint": "Tel que les applications doivent l’afficher.",
  "field.name.missing": "Saisissez votre nom.",
  "field.name.invalid": "Utilisez au plus 200 lettres, chiffres et signes visibles.",
  "field.password": "Mot de passe",
  "field.password.missing": "Saisissez votre mot de passe.",
  "field.newPassword.hint":
    "Au moins {count} caractères. Quelques mots sans rapport entre eux conviennent bien ; les espaces sont permis.",
  "field.newPassword.missing": "Choisissez un mot de passe.",
  "field.newPassword.tooShort": "Utilisez au moins {count} caractères.",
  "field.newPassword.tooLong": "Ce mot de passe est trop long. Utilisez au plus 1 000 caractères.",
  "field.newPassword.tooCommon":
    "Beaucoup de gens utilisent ce mot de passe, il est donc vite deviné. Choisissez-en un autre.",
  "field.newPassword.ownWords":
    "Ce mot de passe est fait de votre nom ou de votre adresse e-mail. Choisissez quelque chose sans rapport.",
  "field.newPassword.tooWeak":
    "Ce mot de passe est facile à deviner. Ajoutez un ou deux mots sans rapport avec le reste.",
  "field.newPassword.breached":
    "Ce mot de passe figurait dans des données volées à un autre site, il est donc essayé. Choisissez-en un autre, et changez-le partout où vous l’utilisez.",
  "strength.title": "Solidité :",
  "strength.level.0": "deviné aussitôt",
  "strength.level.1": "très faible",
  "strength.level.2": "faible",
  "strength.level.3": "bonne",
  "strength.level.4": "forte",
  "strength.ownWord": "Votre nom et votre adresse e-mail sont essayés en premier.",
  "strength.commonPassword": "Une partie est un mot de passe que beaucoup de gens utilisent.",
  "strength.name": "Les noms de personnes sont essayés tôt.",
  "strength.word": "Un mot courant, seul, est essayé tôt.",
  "strength.keyboard": "Les touches voisines sont essayées tôt.",
  "strength.sequence": "Les suites comme abcd ou 4321 sont essayées tôt.",
  "strength.repetition": "Répéter n’ajoute presque rien.",
  "strength.date": "Les dates et les années sont essayées tôt.",
  "strength.tooLittleElse": "Il contient trop peu d’imprévisible.",
  "field.newPassword.unacceptable": "Ce mot de passe ne convient pas. Choisissez-en un autre.",

  "client.askedToSignOut": "demande à vous déconnecter",

  "way.backToClient": "Revenir à {client}",
  "way.continueToClient": "Continuer vers {client}",
  "way.signInAgain": "Se reconnecter",
  "way.tryAgain": "Réessayer",
  "way.toAccount": "Aller à votre compte",
  "way.toStart": "Aller à la page d’accueil",

  "start.title": "Bienvenue",
  "start.heading": "Une seule connexion pour toutes vos applications",
  "start.lede": "{brand} garde votre compte, et les applications ne voient jamais votre mot de passe.",
  "start.account": "Aller à votre compte",
  "start.createAccount": "Créer un compte",
  "start.demo": "Ouvrir l’application de démonstration",
  "start.trial.title": "Ceci est un essai",
  "start.trial.text":
    "Tout fonctionne sur cet ordinateur et reste dans un seul dossier. Utilisez des comptes inventés.",
  "start.trial.mail": "Les messages restent ici : ouvrir la boîte aux lettres",
  "start.trial.demo":
    "L’application de démonstration vous connecte ici, puis appelle un autre service avec ce qu’elle a reçu.",
  "start.assure": "Connectez-vous seulement là où la barre d’adresse affiche **{host}**.",
} as const satisfies Record<keyof typeof english, string>;
