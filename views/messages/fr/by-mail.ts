import type { byMail as english } from "../en/by-mail.ts";

export const byMail = {
  "mail.why.typed": "Vous recevez ce message parce que quelqu’un a saisi {email} chez {brand}.",
  "mail.why.invited": "Vous recevez ce message parce que {email} a été invité chez {brand}.",
  "mail.proof.how":
    "Saisissez ce code là où il vous a été demandé, ou suivez le lien. L’un comme l’autre sert une fois, pendant une demi-heure.",
  "mail.proof.notYou":
    "Si ce n’était pas vous, ne faites rien : sans le code ni le lien, personne ne va plus loin. Ne les transmettez pas, même à quelqu’un qui se dit des nôtres.",
  "mail.registration.subject": "{code} est votre code {brand}",
  "mail.registration.text": "Quelqu’un, vous sans doute, veut créer un compte chez {brand} avec cette adresse e-mail.",
  "mail.registration.button": "Créer votre compte",
  "mail.invitation.subject": "Vous êtes invité chez {brand}",
  "mail.invitation.text":
    "Une place vous attend chez {brand}. Suivez le lien pour choisir un mot de passe. Il sert une fois, pendant une semaine.",
  "mail.invitation.notYou":
    "Si vous ne vous y attendiez pas, ignorez ce message : aucun compte n’est créé sans le lien.",
  "mail.email.subject": "{code} est votre code {brand}",
  "mail.email.text": "Confirmez que cette adresse e-mail est celle de votre compte {brand}.",
  "mail.email.button": "Confirmer cette adresse",
  "mail.emailChanged.subject": "L’adresse e-mail de votre compte {brand} a été changée",
  "mail.emailChanged.text":
    "Votre compte {brand} a maintenant une autre adresse e-mail. C’est avec elle que vous vous connectez, et nous n’écrirons plus à celle-ci.",
  "mail.emailChanged.notYou":
    "Si ce n’était pas vous, suivez le lien dans les trois jours : cette adresse redevient la vôtre, tout le monde est déconnecté et vous choisissez un nouveau mot de passe.",
  "mail.emailChanged.button": "Annuler le changement",
  "mail.passwordReset.subject": "{code} est votre code {brand}",
  "mail.passwordReset.text":
    "Quelqu’un, vous sans doute, veut choisir un nouveau mot de passe pour votre compte {brand}.",
  "mail.passwordReset.notYou":
    "Si ce n’était pas vous, ne faites rien : votre mot de passe reste le même. Ne transmettez ni le code ni le lien, même à quelqu’un qui se dit des nôtres.",
  "mail.passwordReset.button": "Choisir un nouveau mot de passe",
  "mail.haveAccount.subject": "Vous avez déjà un compte {brand}",
  "mail.haveAccount.text":
    "Quelqu’un a voulu utiliser cette adresse e-mail pour un compte chez {brand}. Il y en a déjà un, rien n’a donc été changé.",
  "mail.haveAccount.advice":
    "Si c’était vous, connectez-vous. Si vous avez oublié le mot de passe, la page de connexion vous aide. Sinon, il n’y a rien à faire.",
  "mail.haveAccount.button": "Se connecter",
  "mail.noAccount.subject": "Aucun compte {brand} avec cette adresse e-mail",
  "mail.noAccount.text":
    "Quelqu’un a voulu choisir un nouveau mot de passe chez {brand} avec cette adresse e-mail. Aucun compte ne s’ouvre avec elle.",
  "mail.noAccount.advice":
    "Si c’était vous, essayez une autre adresse que vous auriez pu utiliser. Sinon, il n’y a rien à faire.",
  "mail.noAccount.button": "Essayer une autre adresse",

  "signIn.forgot": "Mot de passe oublié ?",
  "createAccount.email.lede": "Nous vous envoyons d’abord un message, pour être sûrs qu’il vous parvient.",
  "createAccount.email.button": "Envoyer le message",
  "createAccount.closed.title": "Sur invitation seulement",
  "createAccount.closed.text":
    "Ici, les comptes se créent sur invitation. Demandez-en une à l’équipe du site, puis suivez le lien du message.",

  "mailCode.title": "Regardez votre messagerie",
  "mailCode.lede":
    "Nous avons envoyé un message à **{email}**. Saisissez ici son code, ou suivez son lien sur n’importe quel appareil.",
  "mailCode.assure":
    "**Nous ne demandons jamais ce code** au téléphone ni dans une conversation. Sa place est sur cette page et nulle part ailleurs.",
  "mailCode.again": "Rien au bout d’une minute ? Regardez dans les indésirables, puis",
  "mailCode.again.link": "demandez un autre message",
  "mailCode.over": "Ce code ne sert plus. Demandez un autre message.",
  "field.mailCode": "Code du message",
  "field.mailCode.hint": "Six chiffres.",
  "field.mailCode.missing": "Saisissez les six chiffres du message.",
  "field.mailCode.wrong": "Ce n’est pas le code. Regardez le message le plus récent.",

  "newAccount.title": "Vous y êtes presque",
  "newAccount.lede": "**{email}** est confirmée. Choisissez votre nom et un mot de passe.",
  "newAccount.done.title": "Votre compte est prêt",
  "newAccount.done.lede": "Connectez-vous avec votre adresse e-mail et le mot de passe que vous venez de choisir.",
  "newAccount.taken": "Cette adresse a un compte à présent. Connectez-vous avec elle.",

  "reset.title": "Mot de passe oublié ?",
  "reset.lede": "Saisissez votre adresse e-mail : nous vous enverrons de quoi en choisir un nouveau.",
  "reset.button": "Envoyer le message",
  "reset.back": "Retour à la connexion",
  "reset.new.title": "Choisir un nouveau mot de passe",
  "reset.new.lede": "Pour le compte de **{email}**. Ensuite vous êtes déconnecté partout, y compris dans les applications.",
  "reset.new.button": "Changer le mot de passe et déconnecter partout",
  "reset.done.title": "Votre mot de passe a été changé",
  "reset.done.lede": "Vous êtes déconnecté de tous les appareils. Connectez-vous avec le nouveau mot de passe.",
  "reset.done.assure":
    "**Vous ne savez pas pourquoi l’ancien ne marchait plus ?** Une fois connecté, regardez votre activité et vos appareils.",
  "way.continueSignIn": "Continuer vers la connexion",

  "email.title": "Votre adresse e-mail",
  "email.lede": "Vous vous connectez avec elle, et nous lui écrivons quand il se passe quelque chose sur votre compte.",
  "email.confirm.title": "Confirmer votre adresse",
  "email.confirm.text": "Nous envoyons un message à **{email}**, avec un code à saisir ici.",
  "email.confirm.button": "Envoyer le message",
  "email.confirm.lede": "**{email}** est à vous ? Alors confirmez-la.",
  "email.confirm.elsewhere": "Ouvrez le lien dans le navigateur où vous vous connectez, ou saisissez-y le code du message.",
  "email.change.title": "Utiliser une autre adresse",
  "email.change.text":
    "Elle devient la vôtre une fois confirmée là-bas. L’adresse actuelle est prévenue et peut annuler le changement pendant trois jours.",
  "email.change.button": "Envoyer un message à la nouvelle",
  "field.newEmail": "Nouvelle adresse e-mail",
  "email.use.title": "Utiliser cette adresse ?",
  "email.use.lede": "**{email}** devient l’adresse e-mail de votre compte. Vous vous connecterez avec elle.",
  "email.use.button": "Oui, l’utiliser",
  "email.taken": "Cette adresse ne peut pas être utilisée. Choisissez-en une autre.",
  "account.change.email": "votre adresse e-mail",
  "account.confirm": "Confirmer",
  "notice.emailVerified": "Votre adresse e-mail est confirmée.",
  "notice.emailChanged": "Votre adresse e-mail a été changée. Connectez-vous désormais avec la nouvelle.",

  "undo.title": "Annuler le changement d’adresse ?",
  "undo.lede":
    "Votre compte retrouve **{email}**. Tout le monde est déconnecté, le mot de passe actuel ne fonctionne plus, puis vous en choisissez un nouveau.",
  "undo.button": "Oui, annuler",

  "failure.link.title": "Ce lien ne sert plus",
  "failure.link.text":
    "Un lien sert une fois, et pas longtemps. Il a peut-être déjà servi, ou un plus récent l’a remplacé.",
} as const satisfies Record<keyof typeof english, string>;
