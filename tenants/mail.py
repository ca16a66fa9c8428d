"""Mail to people: rendered here, delivered by a worker, so that a slow mail server holds nobody up.

Each mail is a pair of templates `mail/<name>.txt` (its first line is the subject) and `mail/<name>.html`.
"""

from __future__ import annotations

import logging
from typing import Any, NamedTuple

from django.conf import settings
from django.db import transaction
from django.template.loader import render_to_string
from kombu.exceptions import OperationalError

from tenants.tasks import deliver_mail

logger = logging.getLogger(__name__)


class Rendered(NamedTuple):
    """A mail, as its reader gets it."""

    subject: str
    text: str
    html: str


def send(name: str, *, to: str, context: dict[str, Any]) -> None:
    """Render the mail `name` now and send it once the open transaction is committed."""
    mail = rendered(name, context=context)
    transaction.on_commit(lambda: _enqueue(to, *mail))


def rendered(name: str, *, context: dict[str, Any]) -> Rendered:
    """The mail `name` in words, for a task that delivers it itself."""
    whole = {"root_url": settings.ROOT_URL, **context}
    subject, _, text = render_to_string(f"mail/{name}.txt", whole).partition("\n")
    html = render_to_string(f"mail/{name}.html", {**whole, "subject": subject})
    return Rendered(subject.strip(), text.strip() + "\n", html)


def _enqueue(to: str, subject: str, text: str, html: str) -> None:
    try:
        deliver_mail.delay(to, subject, text, html)
    except OperationalError:
        logger.exception("The mail %r could not be handed to the worker", subject)
