import type { mail as english } from "../en/mail.ts";

export const mail = {
  "mail.why": "Vous recevez ce message parce que {email} est l’adresse d’un compte chez {brand}.",
  "mail.noReply": "Personne ne lit les réponses à ce message.",
  "mail.fact": "{label} : {value}",
  "mail.fact.label": "{label} :",
  "mail.when": "Quand",
  "mail.device": "Appareil",
  "mail.place": "Depuis",
  "mail.app": "Application",
  "mail.notYou":
    "Si c’était vous, il n’y a rien à faire. Sinon, ouvrez la page ci-dessous : elle dit ce qu’il faut faire d’abord.",
  "mail.notYou.button": "Ce n’était pas moi",

  "mail.newDevice.subject": "Nouvelle connexion à votre compte {brand}",
  "mail.newDevice.text":
    "Quelqu’un s’est connecté à votre compte avec un navigateur que nous n’y avions encore jamais vu.",
  "mail.passwordChanged.subject": "Votre mot de passe {brand} a été changé",
  "mail.passwordChanged.text": "Le mot de passe de votre compte a été changé.",
  "mail.factorAdded.subject": "Nouvelle méthode de connexion sur votre compte {brand}",
  "mail.factorAdded.app":
    "Une application d’authentification a été ajoutée à votre compte. Ses codes permettent de se connecter.",
  "mail.factorAdded.passkey": "Une clé d’accès a été ajoutée à votre compte. Elle permet de se connecter.",
  "mail.factorRemoved.subject": "Méthode de connexion supprimée de votre compte {brand}",
  "mail.factorRemoved.app":
    "Une application d’authentification a été supprimée de votre compte. Ses codes ne sont plus valables.",
  "mail.factorRemoved.passkey": "Une clé d’accès a été supprimée de votre compte. Elle n’est plus valable.",
  "mail.recoveryCodeUsed.subject": "Un code de secours de votre compte {brand} a été utilisé",
  "mail.recoveryCodeUsed.text": "Quelqu’un s’est connecté avec un de vos codes de secours.",
  "mail.recoveryCodeUsed.left": "Codes restants : {count}. Vous en obtenez de nouveaux sur la page de votre compte.",
  "mail.accessReused.subject": "Nous avons retiré à une application l’accès à votre compte {brand}",
  "mail.accessReused.text":
    "L’application {client} a présenté une clé de votre compte qui avait déjà été rendue. Deux l’ont peut-être, et nous avons donc retiré l’accès aux deux.",
  "mail.accessReused.advice":
    "Le plus souvent, une application s’est trompée, et il suffit de s’y reconnecter. Si cela se répète, ou si vous ne connaissez pas l’application, ouvrez la page ci-dessous.",
  "mail.factorsReset.subject": "Les méthodes de connexion de votre compte {brand} ont été supprimées",
  "mail.factorsReset.text":
    "Les personnes qui gèrent {brand} ont supprimé de votre compte toutes les applications d’authentification, les clés d’accès et les codes de secours. Désormais votre mot de passe suffit, jusqu’à ce que vous ajoutiez de nouveau une méthode de connexion.",
  "mail.factorsReset.notYou":
    "Si vous ne l’avez pas demandé, ouvrez la page ci-dessous : elle dit ce qu’il faut faire d’abord.",

  "mailbox.title": "Boîte aux lettres",
  "mailbox.lede": "Ce serveur est à l’essai et n’envoie aucun message. Ce qu’il aurait envoyé est ici, jusqu’à son arrêt.",
  "mailbox.none": "Il n’y a pas encore de message. Connectez-vous par exemple avec un autre navigateur.",
  "mailbox.to": "À {email}",
  "mailbox.asText": "En texte",
  "mailbox.asHtml": "En HTML",
  "mailbox.open": "L’ouvrir sur une page à part",
  "mailbox.back": "Tous les messages",
} as const satisfies Record<keyof typeof english, string>;
