import type { signIn as english } from "../en/sign-in.ts";

export const signIn = {
  "signIn.title": "Se connecter",
  "signIn.toClient": "pour continuer vers **{client}**",
  "signIn.toAccount": "pour voir votre compte {brand}",
  "signIn.again":
    "Vous utilisez le compte **{email}**. Pour s’assurer que c’est bien vous, **{client}** demande encore une fois votre mot de passe.",
  "signIn.againForAccount":
    "Vous utilisez le compte **{email}**. Pour confirmer que c’est bien vous, saisissez encore une fois votre mot de passe.",
  "signIn.button": "Se connecter",
  "signIn.or": "ou",
  "signIn.newHere": "Première visite ?",
  "signIn.createAccount": "Créer un compte",
  "signIn.mismatch": "Cette adresse e-mail et ce mot de passe ne vont pas ensemble. Vérifiez les deux et réessayez.",
  "signIn.throttled": "Trop d’essais. Vous pouvez réessayer {when}.",
  "signIn.passwordLocked":
    "Trop d’essais : ce mot de passe ne fonctionne plus ici. Réinitialisez-le par e-mail, ou connectez-vous avec une clé d’accès ou sur un appareil que vous avez déjà utilisé.",
  "signIn.busy": "Beaucoup de personnes se connectent en ce moment. Réessayez {when}.",
  "signIn.tooManySessions":
    "Votre compte est ouvert sur autant d’appareils qu’il est permis. Déconnectez-en un dont vous n’avez pas besoin, puis réessayez ici.",
  "signIn.assure.client": "**{client} ne voit jamais votre mot de passe.** Vous le saisissez ici, et seulement ici.",
  "signIn.assure.address": "Avant de le saisir, vérifiez que la barre d’adresse affiche **{host}**.",

  "switch.notYou": "Ce n’est pas vous ?",
  "switch.button": "Utiliser un autre compte",

  "createAccount.title": "Créez votre compte",
  "createAccount.toClient": "Un seul compte pour **{client}** et tout ce qui utilise la connexion {brand}.",
  "createAccount.toAccount": "Un seul compte pour tout ce qui utilise la connexion {brand}.",
  "createAccount.button": "Créer le compte",
  "createAccount.haveOne": "Vous avez déjà un compte ?",
  "createAccount.signIn": "Se connecter",
  "createAccount.assure.title": "Ce que nous gardons",
  "createAccount.assure.text":
    "Votre nom, votre adresse e-mail et une forme brouillée de votre mot de passe, que personne ne peut lire, nous compris.",

  "consent.title": "Laisser {client} utiliser votre compte ?",
  "consent.signedInAs": "Vous utilisez le compte **{email}**.",
  "consent.asks": "{client} demande à",
  "consent.asksNothing": "{client} apprend seulement que c’est chaque fois le même compte.",
  "consent.profile": "Voir votre nom",
  "consent.email": "Voir votre adresse e-mail",
  "consent.offline": "Rester en lien avec votre compte en votre absence",
  "consent.offline.detail": "L’accès reste ouvert même quand vous avez fermé l’application.",
  "consent.resource": "Dans {resource}",
  "consent.allow": "Autoriser",
  "consent.deny": "Ne pas autoriser",
  "consent.eitherWay": "Dans les deux cas, vous revenez à {client}.",
  "consent.privacyPolicy": "Politique de confidentialité de {client}",
  "consent.terms": "Conditions d’utilisation de {client}",
  "consent.assure":
    "**{client} ne peut pas voir votre mot de passe,** ni modifier votre compte, ni se connecter ailleurs en votre nom.",

  "signOut.title": "Se déconnecter ?",
  "signOut.signedInAs": "Vous utilisez le compte **{email}**.",
  "signOut.confirm": "Se déconnecter",
  "signOut.stay": "Garder la session ouverte",
  "signOut.assure": "**Sur un ordinateur partagé ?** Fermez la fenêtre du navigateur après la déconnexion.",

  "signedOut.title": "Votre session est fermée",
  "signedOut.lede":
    "Personne ne peut utiliser votre compte depuis ce navigateur tant que vous ne vous reconnectez pas.",
  "signedOut.assure": "**Sur un ordinateur partagé ?** Fermez aussi cette fenêtre du navigateur.",
  "signedOut.signInAgain": "Se reconnecter",
} as const satisfies Record<keyof typeof english, string>;
