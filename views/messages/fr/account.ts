import type { account as english } from "../en/account.ts";

export const account = {
  "account.title": "Votre compte",
  "account.nav": "Votre compte",
  "account.profile": "Profil",
  "account.methods": "Moyens de connexion",
  "account.devices": "Appareils",
  "account.apps": "Applications",
  "account.activity": "Activité",
  "account.greeting": "Bonjour {name}",
  "account.lede": "Voici ce que nous savons de vous, et ce que les applications voient quand vous le partagez.",
  "account.about": "À propos de vous",
  "account.about.lede":
    "Partagé seulement avec les applications que vous autorisez, et avec celles de qui gère ce site.",
  "account.name": "Nom",
  "account.email": "Adresse e-mail",
  "account.email.confirmed": "Confirmée",
  "account.email.unconfirmed": "Non confirmée",
  "account.language": "Langue",
  "account.language.browser": "Celle du navigateur",
  "account.password": "Mot de passe",
  "account.password.changed": "Dernière modification le {day}",
  "account.password.never": "Inchangé depuis le {day}",
  "account.change": "Modifier",
  "account.change.name": "votre nom",
  "account.change.language": "votre langue",
  "account.change.password": "votre mot de passe",
  "account.save": "Enregistrer",
  "account.cancel": "Annuler",
  "account.data": "Vos données",
  "account.data.lede": "Emportez-en une copie, ou fermez le compte pour de bon.",
  "account.data.download": "Télécharger mes données",
  "account.data.delete": "Supprimer mon compte…",
  "account.signOut": "Se déconnecter",

  "notice.profile": "Votre profil est enregistré.",
  "notice.password": "Votre mot de passe est modifié. Les autres appareils restent connectés.",
  "notice.passwordAndOthers": "Votre mot de passe est modifié, et tous les autres appareils sont déconnectés.",
  "notice.deviceEnded": "L’appareil est déconnecté.",
  "notice.othersEnded": "Tous les autres appareils sont déconnectés.",
  "notice.appRemoved": "Cette application ne peut plus utiliser votre compte.",

  "profile.title": "Nom et langue",
  "profile.lede": "Les applications qui peuvent voir votre nom reçoivent le nouveau à leur prochaine demande.",
  "profile.language.hint": "Pour ces pages. Les applications qui peuvent voir votre profil l’apprennent aussi.",
  "field.locale.invalid": "Choisissez l’une des langues de la liste.",

  "password.title": "Modifier votre mot de passe",
  "password.lede": "Il vous faut l’actuel. Si vous l’avez utilisé sur d’autres sites, modifiez-le là aussi.",
  "password.endOthers": "Déconnecter tous les autres appareils",
  "password.endOthers.hint":
    "Qui connaît votre ancien mot de passe y a peut-être une session ouverte. Les applications de ces appareils perdent l’accès en moins d’une seconde.",
  "password.button": "Modifier le mot de passe",
  "field.currentPassword": "Mot de passe actuel",
  "field.currentPassword.missing": "Saisissez votre mot de passe actuel.",
  "field.currentPassword.wrong": "Ce n’est pas votre mot de passe actuel.",
  "field.newPassword": "Nouveau mot de passe",

  "data.title": "Une copie de vos données",
  "data.lede": "Ce que nous gardons sur vous, dans un seul fichier.",
  "data.copy": "Ce qu’elle contient",
  "data.copy.lede":
    "Votre profil, les appareils où votre session est ouverte, ce que vous avez permis aux applications, vos moyens de connexion et votre activité. Aucun mot de passe, aucun code. Nous vous demanderons peut-être de vous reconnecter d’abord.",
  "data.back": "Revenir à votre profil",

  "delete.title": "Supprimer votre compte",
  "delete.lede": "C’est définitif, et personne ne peut rétablir le compte.",
  "delete.what": "Ce qui se passe",
  "delete.what.access":
    "Vos sessions sont fermées partout, et les applications perdent l’accès en moins d’une seconde.",
  "delete.what.data":
    "Nous supprimons votre profil, votre mot de passe, vos moyens de connexion et ce que vous avez permis aux applications.",
  "delete.what.apps":
    "Les applications gardent peut-être ce qu’elles ont déjà enregistré. Demandez-leur de le supprimer.",
  "delete.what.log":
    "Il reste une trace de sécurité : ce qui s’est passé, quand, et depuis quelle adresse. Ni votre nom ni votre adresse e-mail n’y figurent.",
  "delete.confirm": "Pour confirmer que c’est bien ce que vous voulez, saisissez votre adresse e-mail : **{email}**",
  "delete.button": "Supprimer mon compte",
  "delete.keep": "Garder mon compte",
  "field.confirmEmail": "Votre adresse e-mail",
  "field.confirmEmail.wrong": "Ce n’est pas l’adresse e-mail de ce compte.",

  "signedOut.deleted.title": "Votre compte est supprimé",
  "signedOut.deleted.lede":
    "Vos sessions sont fermées partout, et les applications ne peuvent plus utiliser le compte.",
} as const satisfies Record<keyof typeof english, string>;
