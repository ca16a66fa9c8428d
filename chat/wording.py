"""What the product itself says to visitors, in their language where we have it."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from django.utils import translation
from django.utils.formats import date_format

from agents.hours import hours_of, is_open, next_opening
from agents.models import Agent


class Say(StrEnum):
    """The product's own sentences."""

    UNKNOWN = "unknown"
    REPHRASE = "rephrase"
    EMAIL = "email"
    PERSON = "person"
    FAILED = "failed"
    STOPPED = "stopped"
    TAKEN_OVER = "taken_over"
    QUOTA = "quota"
    LINKS = "links"
    LATER = "later"
    FILE = "file"
    AWAY = "away"
    BACK = "back"
    LEAVE_EMAIL = "leave_email"
    UNCONFIRMED = "unconfirmed"
    WHICH = "which"


_TEXTS: dict[str, dict[Say, str]] = {
    "en": {
        Say.UNKNOWN: "I could not find an answer to that in what I know.",
        Say.REPHRASE: "You could ask it in other words",
        Say.EMAIL: "leave your e-mail address so that the team can answer",
        Say.PERSON: "ask for a person",
        Say.FAILED: "Something went wrong on our side, so I could not answer. Please ask again in a moment.",
        Say.STOPPED: "You stopped this answer before it began.",
        Say.TAKEN_OVER: "A person of the team takes over from here.",
        Say.QUOTA: "The assistant cannot answer questions at the moment.",
        Say.LINKS: "I cannot write an answer at the moment, but it should stand here:",
        Say.LATER: "I cannot answer at the moment.",
        Say.FILE: "Thank you. I cannot read files myself, but the team can. What would you like to know about it?",
        Say.AWAY: "The team is away at the moment.",
        Say.BACK: "It is back on {when}.",
        Say.LEAVE_EMAIL: "Leave your e-mail address, and you get an answer there.",
        Say.UNCONFIRMED: "I could not confirm a part of this answer in our sources.",
        Say.WHICH: "Your question fits several things. Which one do you mean?",
    },
    "de": {
        Say.UNKNOWN: "Dazu habe ich in meinen Unterlagen keine Antwort gefunden.",
        Say.REPHRASE: "Sie können die Frage anders stellen",
        Say.EMAIL: "Ihre E-Mail-Adresse hinterlassen, damit das Team antwortet",
        Say.PERSON: "nach einer Person fragen",
        Say.FAILED: "Bei uns ist etwas schiefgegangen. Bitte fragen Sie gleich noch einmal.",
        Say.STOPPED: "Sie haben diese Antwort angehalten, bevor sie begann.",
        Say.TAKEN_OVER: "Ab hier übernimmt eine Person aus dem Team.",
        Say.QUOTA: "Der Assistent kann im Moment keine Fragen beantworten.",
        Say.LINKS: "Im Moment kann ich keine Antwort schreiben, aber hier sollte sie stehen:",
        Say.LATER: "Im Moment kann ich nicht antworten.",
        Say.FILE: "Danke. Ich kann Dateien nicht selbst lesen, das Team aber schon. Was möchten Sie dazu wissen?",
        Say.AWAY: "Das Team ist gerade nicht da.",
        Say.BACK: "Es ist wieder da am {when}.",
        Say.LEAVE_EMAIL: "Hinterlassen Sie Ihre E-Mail-Adresse, dann bekommen Sie dort eine Antwort.",
        Say.UNCONFIRMED: "Einen Teil dieser Antwort konnte ich in unseren Unterlagen nicht bestätigt finden.",
        Say.WHICH: "Ihre Frage passt zu mehreren Themen. Welches meinen Sie?",
    },
    "fr": {
        Say.UNKNOWN: "Je n’ai pas trouvé de réponse à cette question dans mes documents.",
        Say.REPHRASE: "Vous pouvez reformuler la question",
        Say.EMAIL: "laisser votre adresse e-mail pour que l’équipe vous réponde",
        Say.PERSON: "demander à parler à une personne",
        Say.FAILED: "Un problème est survenu de notre côté. Veuillez reposer la question dans un instant.",
        Say.STOPPED: "Vous avez arrêté cette réponse avant qu’elle ne commence.",
        Say.TAKEN_OVER: "Une personne de l’équipe prend le relais.",
        Say.QUOTA: "L’assistant ne peut pas répondre aux questions pour le moment.",
        Say.LINKS: "Je ne peux pas rédiger de réponse pour l’instant, mais elle devrait se trouver ici :",
        Say.LATER: "Je ne peux pas répondre pour l’instant.",
        Say.FILE: "Merci. Je ne peux pas lire les fichiers, mais l’équipe le peut. Que souhaitez-vous savoir ?",
        Say.AWAY: "L’équipe n’est pas là pour le moment.",
        Say.BACK: "Elle sera de retour le {when}.",
        Say.LEAVE_EMAIL: "Laissez votre adresse e-mail et vous y recevrez une réponse.",
        Say.UNCONFIRMED: "Je n’ai pas pu confirmer une partie de cette réponse dans nos documents.",
        Say.WHICH: "Votre question correspond à plusieurs sujets. Duquel s’agit-il ?",
    },
    "es": {
        Say.UNKNOWN: "No he encontrado una respuesta a eso en mis documentos.",
        Say.REPHRASE: "Puede hacer la pregunta con otras palabras",
        Say.EMAIL: "dejar su correo electrónico para que el equipo le responda",
        Say.PERSON: "pedir hablar con una persona",
        Say.FAILED: "Algo ha fallado por nuestra parte. Vuelva a preguntar dentro de un momento, por favor.",
        Say.STOPPED: "Ha detenido esta respuesta antes de que empezara.",
        Say.TAKEN_OVER: "A partir de aquí le atiende una persona del equipo.",
        Say.QUOTA: "El asistente no puede responder preguntas en este momento.",
        Say.LINKS: "En este momento no puedo redactar una respuesta, pero debería estar aquí:",
        Say.LATER: "En este momento no puedo responder.",
        Say.FILE: "Gracias. No puedo leer archivos, pero el equipo sí. ¿Qué le gustaría saber al respecto?",
        Say.AWAY: "El equipo no está disponible en este momento.",
        Say.BACK: "Vuelve el {when}.",
        Say.LEAVE_EMAIL: "Deje su correo electrónico y recibirá allí una respuesta.",
        Say.UNCONFIRMED: "No he podido confirmar una parte de esta respuesta en nuestros documentos.",
        Say.WHICH: "Su pregunta encaja con varios temas. ¿A cuál se refiere?",
    },
}
_MOMENTS = {"de": "l, j. F, H:i", "fr": "l j F, H:i", "es": "l, j \\d\\e F, H:i"}
_OR = {"en": ", or ", "de": " oder ", "fr": " ou ", "es": " o "}


def said(what: Say, *, language: str) -> str:
    """The sentence in this language, or in English."""
    return _TEXTS.get(language[:2].lower(), _TEXTS["en"])[what]


def abstention(agent: Agent, *, language: str, what: Say = Say.UNKNOWN) -> str:
    """That the agent does not know, or what else is said, and every way on that its settings offer."""
    tongue = language[:2].lower() if language[:2].lower() in _TEXTS else "en"
    ways = [said(Say.REPHRASE, language=tongue)]
    if agent.leads_enabled:
        ways.append(said(Say.EMAIL, language=tongue))
    if agent.handoff_enabled:
        ways.append(said(Say.PERSON, language=tongue))
    listed = ", ".join(ways[:-1]) + _OR[tongue] + ways[-1] if len(ways) > 1 else ways[0]
    return f"{said(what, language=tongue)} {listed}."


def away(agent: Agent, now: datetime, *, language: str) -> str:
    """That the team is away, when it is back, and how it answers all the same; empty while it is there."""
    hours = hours_of(agent)
    if hours is None or is_open(hours, now):
        return ""
    opening = next_opening(hours, now)
    back = said(Say.BACK, language=language).format(when=_moment(opening, language)) if opening else ""
    first = hours["away"].strip() or said(Say.AWAY, language=language)
    return " ".join(filter(None, (first, back, said(Say.LEAVE_EMAIL, language=language))))


def _moment(moment: datetime, language: str) -> str:
    """Such as "Monday, 7 December, 09:00 (Europe/Vienna)", in a language that we have."""
    tongue = language[:2].lower() if language[:2].lower() in _TEXTS else "en"
    with translation.override(tongue):
        return f"{date_format(moment, _MOMENTS.get(tongue, 'l, j F, H:i'))} ({moment.tzinfo})"
