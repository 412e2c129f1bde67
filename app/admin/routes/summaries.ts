import type { Locale } from '../../domain/locale.ts';

/** What the routes do in French, by the English sentence of their definition. */
const FRENCH: Readonly<Record<string, string>> = {
  'Lists the people of the tenant, those known longest first.':
    'Liste les personnes de l’organisation, les plus anciennes d’abord.',
  'Shows a person of the tenant.': 'Affiche une personne de l’organisation.',
  'Renames, disables or enables a person, for operators; anybody else may only rename themselves, here or by PATCH /self.':
    'Renomme, désactive ou réactive une personne, pour les opérateurs\u202f; toute autre personne ne peut que se renommer elle-même, ici ou par PATCH /self.',
  'Shows what the tenant is called.': 'Affiche le nom de l’organisation.',
  'Changes what the tenant is called; a new slug holds at once.':
    'Modifie le nom de l’organisation\u202f; un nouvel identifiant d’adresse vaut aussitôt.',
  'Creates a key; its text is in this answer and nowhere else.':
    'Crée une clé\u202f; son texte est dans cette réponse et nulle part ailleurs.',
  'Lists the keys of the tenant; revoked ones only where they are asked for.':
    'Liste les clés de l’organisation\u202f; les clés révoquées seulement sur demande.',
  'Lists the scopes that keys can be granted, and what each one opens.':
    'Liste les accès que l’on peut donner aux clés, et ce que chacun ouvre.',
  'Shows a key.': 'Affiche une clé.',
  'Changes a key, from its next request on.': 'Modifie une clé, dès sa prochaine requête.',
  'Puts a new key in the place of this one, at once or with an overlap.':
    'Remplace la clé par une nouvelle, aussitôt ou avec un délai commun.',
  'Revokes a key for good, and no other key of its rotations.':
    'Révoque une clé définitivement, et aucune autre clé de ses renouvellements.',
  'Lists the requests made with a key, newest first.':
    'Liste les requêtes faites avec une clé, les plus récentes d’abord.',
  'Sums up what a key was used for.': 'Résume ce à quoi une clé a servi.',
  'Says that the process runs.': 'Indique que le processus tourne.',
  'Says whether requests can be answered, and why not.':
    'Indique si les requêtes peuvent recevoir une réponse, et sinon pourquoi.',
  'Shows the rules for the keys of the tenant.': 'Affiche les règles des clés de l’organisation.',
  'Changes the rules for the keys of the tenant; they hold in every process at once.':
    'Modifie les règles des clés de l’organisation\u202f; elles valent aussitôt dans chaque processus.',
  'Lists the pending invitations of the tenant, the oldest first.':
    'Liste les invitations en attente de l’organisation, les plus anciennes d’abord.',
  'Invites somebody by their email, in place of an earlier invitation; the answer holds the link to hand over, once.':
    'Invite quelqu’un par son adresse e-mail, à la place d’une invitation antérieure\u202f; la réponse contient une seule fois le lien à transmettre.',
  'Shows a pending invitation, without its link.': 'Affiche une invitation en attente, sans son lien.',
  'Withdraws a pending invitation: its link opens nothing any more.':
    'Retire une invitation en attente\u00a0: son lien n’ouvre plus rien.',
  'Says whether a key is good, as RFC 7662 has it; spends neither limit nor quota.':
    'Indique si une clé est valable, selon la RFC 7662\u202f; n’entame ni limite ni quota.',
  'Says, for a proxy, whether the rules let a request through, and counts the use of its key; without a body.':
    'Indique à un proxy si les règles laissent passer une requête, et compte l’usage de sa clé\u202f; sans corps.',
  'Says where to introspect keys, as RFC 8414 has it.': 'Indique où interroger les clés, selon la RFC 8414.',
  'Lists the members of the tenant, those known longest first.':
    'Liste les membres de l’organisation, les plus anciens d’abord.',
  'Shows a member.': 'Affiche un membre.',
  'Changes what a member is, from their next request on.':
    'Modifie le rôle et les droits d’un membre, dès sa prochaine requête.',
  'Puts a member out of the tenant; their account stays.':
    'Retire un membre de l’organisation\u202f; son compte demeure.',
  'Lists what was done in the tenant, newest first.':
    'Liste ce qui a été fait dans l’organisation, le plus récent d’abord.',
  'Turns an email and a password into a Bearer token.':
    'Échange une adresse e-mail et un mot de passe contre un jeton Bearer.',
  'Shows the credential itself: a key with its description.':
    'Affiche l’identifiant lui-même\u00a0: une clé avec sa description.',
  'Changes the name and description of the key that asks, or the name of the person.':
    'Modifie le nom et la description de la clé qui demande, ou le nom de la personne.',
  'Lists every endpoint with the scope or permission it asks for.':
    'Liste chaque route avec l’accès ou le droit qu’elle demande.',
  'Lists the keys of every tenant, the newest first.':
    'Liste les clés de toutes les organisations, les plus récentes d’abord.',
  'Ends the caller’s own membership of the tenant; their account stays.':
    'Met fin à l’adhésion de la personne qui demande\u202f; son compte demeure.',
  'Says whether a key is good, and counts its use; a bad key is 200 too.':
    'Indique si une clé est valable et compte son usage\u202f; une clé non valable donne aussi 200.',
  'Does the same for up to 100 keys, in their order.': 'Fait de même pour 100 clés au plus, dans leur ordre.',
  'Creates a tenant, without people and keys; the slug comes from the name if absent.':
    'Crée une organisation sans personne ni clé\u202f; l’identifiant d’adresse vient du nom s’il manque.',
  'Lists the tenants, the newest first.': 'Liste les organisations, les plus récentes d’abord.',
  'Shows a tenant.': 'Affiche une organisation.',
  'Renames, suspends or reactivates a tenant; a suspension holds for its keys and people from their next request on.':
    'Renomme, suspend ou réactive une organisation\u202f; une suspension vaut pour ses clés et ses membres dès leur prochaine requête.',
  'Says how the process is doing, for Prometheus.': 'Indique l’état du processus, pour Prometheus.',
  'Describes every endpoint of this installation, as it runs.':
    'Décrit chaque route de cette installation, telle qu’elle tourne.',
  'Says who the credential is, for which tenant, and what it may do.':
    'Indique de qui est l’identifiant, pour quelle organisation, et ce qu’il permet.',
  'Opens a ticket.': 'Ouvre un ticket.',
  'Lists the tickets, newest first.': 'Liste les tickets, les plus récents d’abord.',
  'Shows a ticket with everything that was said.': 'Affiche un ticket avec tous ses messages.',
  'Adds to a ticket; one that was answered is open again.': 'Ajoute à un ticket\u202f; un ticket répondu est rouvert.',
  'Answers a ticket.': 'Répond à un ticket.',
  'Closes a ticket for good.': 'Ferme un ticket définitivement.',
  'Saves a draft; under a name that is known, as its next version.':
    'Enregistre un brouillon\u202f; sous un nom connu, comme version suivante.',
  'Lists the drafts, the newest name first.': 'Liste les brouillons, le nom le plus récent d’abord.',
  'Shows a draft in its newest version, or in the one that is asked for.':
    'Affiche un brouillon dans sa dernière version, ou dans celle demandée.',
  'Shows the plan, how far it is used up, and an order that waits for an owner.':
    'Affiche l’offre, ce qui en est consommé, et une commande qui attend un propriétaire.',
  'Orders a plan, which an owner then confirms; a reference sent twice is one order.':
    'Commande une offre, qu’un propriétaire confirme ensuite\u202f; une référence envoyée deux fois est une seule commande.',
  'Shows an order of a plan, and what became of it.': 'Affiche une commande d’offre, et ce qu’elle est devenue.',
  'Withdraws an order that nobody has confirmed: its plan cannot be had by it any more.':
    'Retire une commande que personne n’a confirmée\u00a0: elle ne peut plus l’être.',
  'Confirms an order, in person: from now on the limits of its plan hold.':
    'Confirme une commande, en personne\u00a0: les limites de l’offre valent désormais.',
  'Lists the apps, what each may do, and which are installed.':
    'Liste les applications, ce que chacune peut faire, et celles qui sont installées.',
  'Installs an app: its token is shown here and never again.':
    'Installe une application\u00a0: son jeton est affiché ici et plus jamais ensuite.',
  'Uninstalls an app and revokes its token; once is as good as twice.':
    'Désinstalle une application et révoque son jeton\u202f; le répéter ne change rien.',
  'Lists the scopes of the product, which stand beside Latchkey’s own.':
    'Liste les accès du produit, à côté de ceux de Latchkey.',
  'Replaces the scopes of the product; they hold in every process at once.':
    'Remplace les accès du produit\u202f; ils valent aussitôt dans chaque processus.',
  'Lists the rules of proxied requests in their order.': 'Liste les règles des requêtes relayées, dans leur ordre.',
  'Replaces all rules of proxied requests: the first that is about a request decides, and where none is, it is refused. They hold in every process once this is answered.':
    'Remplace toutes les règles des requêtes relayées\u00a0: la première qui concerne une requête décide, et sans règle elle est refusée. Elles valent dans chaque processus dès la réponse.',
  'Says what the rules make of a request, and why; nothing is counted or recorded.':
    'Indique ce que les règles font d’une requête, et pourquoi\u202f; rien n’est compté ni enregistré.',
  'Pauses a key: it is refused from this moment until it is resumed.':
    'Suspend une clé\u00a0: elle est refusée dès maintenant et jusqu’à sa reprise.',
  'Lets a paused key work again.': 'Remet en service une clé suspendue.',
  'Takes the texts of leaked keys; the answer is the same whatever they are.':
    'Reçoit le texte de clés divulguées\u202f; la réponse est la même quelles qu’elles soient.',
  'Takes what GitHub’s secret scanning found, signed by GitHub, and says which of it are keys.':
    'Reçoit ce que l’analyse de secrets de GitHub a trouvé, signé par GitHub, et indique ce qui est une clé.',
  'Revokes the key that asks, for good, and no other key of its rotations; it takes no scope.':
    'Révoque définitivement la clé qui demande, et aucune autre clé de ses renouvellements\u202f; aucun accès n’est requis.',
  'Imports keys that were issued elsewhere, a line each, by the SHA-256 of their texts: all, or none where a line is refused.':
    'Importe des clés émises ailleurs, une par ligne, par le SHA-256 de leur texte\u00a0: toutes, ou aucune si une ligne est refusée.',
};

/** The sentences of records, of which each kind has its own. */
const FRENCH_OF_RECORDS: readonly [english: RegExp, french: (name: string) => string][] = [
  [/^Lists (\w+), newest first\.$/, (name) => `Liste les éléments de ${name}, les plus récents d’abord.`],
  [/^Adds to (\w+)\.$/, (name) => `Ajoute à ${name}.`],
  [/^Shows one of (\w+)\.$/, (name) => `Affiche un élément de ${name}.`],
  [
    /^Changes one of (\w+): the fields that are given\.$/,
    (name) => `Modifie un élément de ${name}\u00a0: les champs donnés.`,
  ],
  [/^Deletes one of (\w+) for good\.$/, (name) => `Supprime définitivement un élément de ${name}.`],
];

/** What a route does in this language; undefined where it was not translated. */
export function summaryIn(locale: Locale, summary: string): string | undefined {
  if (locale === 'en') return summary;
  const own = FRENCH[summary];
  if (own !== undefined) return own;
  for (const [english, french] of FRENCH_OF_RECORDS) {
    const [, name] = english.exec(summary) ?? [];
    if (name !== undefined) return french(name);
  }
  return undefined;
}
