"""What answers in a page's place at its own address, as if all were well (200): a log-in, or a notice of maintenance.

A page is taken for one only where little of what it said is left, and only for a day: what stays is believed.
"""

from __future__ import annotations

import re
from datetime import timedelta

from django.utils import timezone

from knowledge import versions
from knowledge.fetching import FetchedPage, FetchError
from knowledge.models import Document, Version
from knowledge.parsing.errors import ParseError
from knowledge.parsing.sandbox import parse_apart
from knowledge.parsing.selecting import Selectors
from knowledge.parsing.sniff import MediaType, sniff

BELIEVED_AFTER = timedelta(days=1)
REMARK = "Kept back: it stands in the page's place"
_SHORT = 1000  # characters at most of such a page
_PASSWORD = re.compile(rb"<input\b[^>]*\btype\s*=\s*[\"']?password", re.IGNORECASE)
_TITLE = re.compile(rb"<title\b[^>]*>([^<]{1,300})", re.IGNORECASE)
_MAINTENANCE = re.compile(
    r"^\W{0,9}(?:maintenance|wartung|mantenimiento)\b"
    r"|\b(?:under|down for|undergoing|scheduled|planned|performing|site) maintenance\b|\bmaintenance mode\b"
    r"|\b(?:we['’]ll|we will|will) be (?:right )?back\b|\bbe back (?:soon|shortly|online)\b"
    r"|\btemporarily (?:unavailable|offline|down)\b"
    r"|\bwartungs(?:arbeiten|modus|seite)\b|\b(?:in|wegen|gerade) wartung\b"
    r"|\bvorübergehend nicht (?:erreichbar|verfügbar)\b|\b(?:gleich|bald|in kürze) wieder"
    r" (?:da|für|zurück|erreichbar|online)\b"
    r"|\ben (?:cours de )?maintenance\b|\bmaintenance (?:en cours|programmée|planifiée)\b"
    r"|\b(?:bientôt de retour|de retour (?:bientôt|très vite|dans)|revenons (?:bientôt|très vite))\b"
    r"|\btemporairement (?:indisponible|inaccessible)\b"
    r"|\ben mantenimiento\b|\bmantenimiento (?:programado|planificado)\b"
    r"|\b(?:volvemos|volveremos) (?:pronto|en|enseguida)\b"
    r"|\btemporalmente (?:no disponible|fuera de servicio|inaccesible)\b",
    re.IGNORECASE | re.MULTILINE,
)


class StandIn(FetchError):
    code = "page_stand_in"
    permanent = True


def asks_for_password(content: bytes) -> bool:
    return bool(_PASSWORD.search(content))


def reason(
    document: Document, before: Version | None, page: FetchedPage, *, name: str, selectors: Selectors
) -> str:
    """Why new content is none that may take the place of what serves; "" for one that may."""
    live = document.live
    is_published = before is not None and before.remark == REMARK
    if live is None or is_published:
        return ""
    said = (versions.text_of(before) if before is not None else "") or versions.text_of(live)
    try:
        if sniff(page.content, name=name) is not MediaType.HTML:
            return ""
        says = versions.plain_text(
            parse_apart(page.content, name=name, charset=page.charset, selectors=selectors)
        )
    except ParseError:
        return ""  # whoever reads it finds out, and says why
    if not _is_left_of(said, says):
        return ""
    if asks_for_password(page.content) and not asks_for_password(versions.content_of(live)):
        return "The page asks to log in now"
    if _MAINTENANCE.search(f"{_title(page.content)}\n{says}") and not _MAINTENANCE.search(said):
        return "The page shows a notice of maintenance now"
    return ""


def _title(content: bytes) -> str:
    """What the window's title says, which is not the heading that is read as the page's."""
    found = _TITLE.search(content)
    return found.group(1).decode(errors="replace").strip() if found else ""


def _is_left_of(said: str, says: str) -> bool:
    """Whether this little text is a small part of another page's, or has not much of it."""
    lines = set(said.split("\n"))
    kept = sum(len(line) for line in set(says.split("\n")) & lines)
    return len(says) <= min(_SHORT, len(said) // 2) and 4 * kept <= len(said)


def kept_back(document: Document) -> Version | None:
    """The draft that holds what stands in the page's place, since when is its age."""
    return document.versions.filter(draft=True, remark=REMARK).first()


def is_believed(kept: Version) -> bool:
    return timezone.now() - kept.created_at >= BELIEVED_AFTER
