import type { factors as english } from "../en/factors.ts";

export const factors = {
  "factor.signingInAs": "Connexion en tant que {email}",
  "factor.locked":
    "Trop de codes erronés : les codes ne fonctionnent plus ici. Utilisez une clé d’accès ou un appareil que vous avez déjà utilisé, ou adressez-vous aux responsables de ce service.",
  "factor.paused": "Trop de codes erronés. Vous pouvez réessayer {when}.",
  "factor.elsewhere": "Vous ne l’avez pas sous la main ?",
  "factor.useApp": "Utiliser votre application d’authentification",
  "factor.useRecoveryCode": "Utiliser un code de secours",
  "factor.usePasskey": "Utiliser une clé d’accès",
  "factor.notNow": "Pas maintenant",
  "factor.continue": "Continuer",
  "factor.needsMore": "**{client}** demande une preuve de plus que c’est bien vous.",
  "factor.needsMoreForAccount": "Avant de continuer, une preuve de plus que c’est bien vous.",

  "secondFactor.title": "Saisissez votre code",
  "secondFactor.lede":
    "Ouvrez votre application d’authentification et saisissez les 6 chiffres affichés pour {brand}.",
  "secondFactor.trust": "Ne plus demander sur cet appareil",
  "secondFactor.trust.hint": "Pendant {days} jours. Ne cochez pas sur un ordinateur partagé.",
  "secondFactor.assure.title": "Personne chez {brand} ne vous demandera jamais ce code.",
  "secondFactor.assure.text":
    "Si quelqu’un le fait, par téléphone ou dans un message, c’est pour entrer dans votre compte.",

  "field.code": "Code à 6 chiffres",
  "field.code.hint": "Un nouveau code apparaît toutes les 30 secondes. Les espaces ne comptent pas.",
  "field.code.missing": "Saisissez les 6 chiffres.",
  "field.code.wrong": "Ce code a expiré, a déjà servi ou est mal tapé. Saisissez le plus récent.",
  "field.recoveryCode": "Code de secours",
  "field.recoveryCode.hint": "8 lettres et chiffres. Tirets et majuscules ne comptent pas.",
  "field.recoveryCode.missing": "Saisissez l’un de vos codes de secours.",
  "field.recoveryCode.wrong": "Ce n’est pas l’un de vos codes encore valables. Vérifiez-le, ou prenez-en un autre.",
  "field.deviceName": "Nom",
  "field.deviceName.hint": "Pour le reconnaître plus tard.",
  "field.deviceName.invalid": "Utilisez de 1 à 60 lettres, chiffres et signes visibles.",
  "field.saved": "J’ai mis mes codes en lieu sûr",
  "field.saved.missing": "Gardez d’abord vos codes, puis cochez la case.",

  "recoveryCode.title": "Utiliser un code de secours",
  "recoveryCode.lede":
    "Saisissez l’un des codes que vous avez gardés en activant votre deuxième étape. Chacun sert une seule fois.",
  "recoveryCode.assure":
    "**Plus de code ni d’appareil ?** Adressez-vous à qui gère ce site, où l’on peut réinitialiser votre deuxième étape.",

  "recoveryUsed.title": "Votre session est ouverte",
  "recoveryUsed.one":
    "Il vous reste **1** code de secours. Créez-en bientôt de nouveaux, sur la page de votre compte.",
  "recoveryUsed.many": "Il vous reste **{left}** codes de secours.",
  "recoveryUsed.none":
    "C’était votre dernier code de secours. Créez-en de nouveaux maintenant, sur la page de votre compte.",
  "recoveryUsed.lost":
    "Appareil perdu ? Retirez-le des moyens de connexion, sur la page de votre compte, et ajoutez le nouveau.",

  "passkey.title": "Utilisez votre clé d’accès",
  "passkey.lede": "Votre navigateur va demander votre empreinte, votre visage ou votre code PIN.",
  "passkey.button": "Utiliser la clé d’accès",
  "passkey.noScript":
    "**Les clés d’accès ont besoin de JavaScript,** désactivé dans ce navigateur. Les autres moyens s’en passent.",
  "passkey.unsupported": "Ce navigateur ne sait pas utiliser les clés d’accès. Choisissez un autre moyen.",
  "passkey.canceled": "Rien n’est venu de votre navigateur. Réessayez, ou choisissez un autre moyen.",
  "passkey.refused":
    "Cette clé d’accès ne fonctionne pas ici. Essayez-en une autre, ou choisissez un autre moyen.",
  "passkey.usePassword": "Utiliser votre mot de passe",
  "passkey.assure":
    "**Personne ne peut vous soutirer une clé d’accès.** Elle ne fonctionne que sur ce site, et votre empreinte, votre visage ou votre code PIN ne quitte jamais votre appareil.",

  "enrollApp.title": "Ajoutez une application d’authentification",
  "enrollApp.lede": "Elle crée un nouveau code à chaque connexion, même sans réseau.",
  "enrollApp.needed": "**{client}** demande une deuxième étape, pour qu’un mot de passe volé ne suffise pas.",
  "enrollApp.neededForAccount": "Il vous faut ici une deuxième étape, pour qu’un mot de passe volé ne suffise pas.",
  "enrollApp.scan": "Scannez ceci avec votre application",
  "enrollApp.qr":
    "Code QR qui ajoute {brand} à votre application d’authentification. La clé ci-dessous fait de même.",
  "enrollApp.key": "Impossible de scanner ? Saisissez plutôt cette clé :",
  "enrollApp.key.hint":
    "Basée sur l’heure, 6 chiffres, 30 secondes. Un clic ou un appui long sélectionne toute la clé.",
  "enrollApp.confirm": "Saisissez le code qu’elle affiche",
  "enrollApp.button": "Activer",
  "enrollApp.defaultName": "Application d’authentification",
  "enrollApp.expired":
    "Un moment a passé, voici donc une nouvelle clé. Scannez-la à nouveau, puis saisissez le code.",
  "enrollApp.passkeyInstead": "Ajouter plutôt une clé d’accès",
  "enrollApp.assure":
    "**Toute application d’authentification convient.** Le gestionnaire de mots de passe de votre téléphone en contient peut-être déjà une.",
  "enrollApp.assure.next": "Ensuite, nous vous donnerons des codes de secours, au cas où vous perdriez le téléphone.",

  "enrollPasskey.title": "Ajoutez une clé d’accès",
  "enrollPasskey.lede":
    "La prochaine fois, connectez-vous avec votre empreinte, votre visage ou votre code PIN. Rien à taper, rien à voler.",
  "enrollPasskey.defaultName": "Clé d’accès",
  "enrollPasskey.button": "Créer la clé d’accès",
  "enrollPasskey.refused":
    "Cela n’a pas marché. Vous avez peut-être déjà cette clé d’accès. Réessayez, ou choisissez un autre moyen.",
  "enrollPasskey.appInstead": "Ajouter plutôt une application d’authentification",

  "recoveryCodes.title": "Gardez vos codes de secours",
  "recoveryCodes.lede": "Si vous perdez votre téléphone, l’un d’eux vous ouvre l’accès. Chacun sert une seule fois.",
  "recoveryCodes.list": "Codes de secours",
  "recoveryCodes.of": "Compte : {email} · {host} · Créés le {date}",
  "recoveryCodes.select": "Un clic ou un appui long sélectionne tous les codes, prêts à copier.",
  "recoveryCodes.download": "Télécharger",
  "recoveryCodes.print": "Imprimer…",
  "recoveryCodes.warning":
    "Nous ne pourrons plus les afficher. Gardez-les dans un gestionnaire de mots de passe ou sur papier, pas sur le téléphone qui crée vos codes.",
  "recoveryCodes.button": "Terminé",
  "recoveryCodes.assure":
    "**Un code vaut autant que votre téléphone.** Avec votre mot de passe et l’un d’eux, n’importe qui peut se connecter à votre place.",
  "recoveryCodes.assure.again": "Vous en créez de nouveaux ? Les anciens ne fonctionnent plus.",
} as const satisfies Record<keyof typeof english, string>;
