"""A secret address for each source: whoever knows it may start a sync, such as a site's publish hook.

The secret is derived from the server's key and a counter, so that nothing secret is stored and a new address
ends the old one.
"""

from __future__ import annotations

import hmac
from urllib.parse import urlsplit
from uuid import UUID

from django.conf import settings
from django.db.models import F
from django.utils.crypto import salted_hmac

from knowledge.models import Source
from netvexa.lib.errors import NotFound
from tenants.context import current_workspace

_SALT = "knowledge.hooks"


def renew(source: Source) -> str:
    """A new address; the one before stops working."""
    Source.objects.filter(pk=source.pk).update(hook=F("hook") + 1)
    source.refresh_from_db(fields=["hook"])
    return address_of(source)


def address_of(source: Source) -> str:
    """The whole address, or "" while there is none."""
    if not source.hook:
        return ""
    root = urlsplit(settings.ROOT_URL)
    host = f"{current_workspace().slug}.{root.netloc}"
    return f"{root.scheme}://{host}/knowledge/hooks/{source.pk}/{_secret(source)}/"


def source_of(source_id: UUID, secret: str) -> Source:
    """The source whose address this is. Raises NotFound, whatever is wrong with it."""
    source = Source.objects.filter(pk=source_id).exclude(hook=0).first()
    if source is None or not hmac.compare_digest(_secret(source), secret):
        raise NotFound("There is no such address.")
    return source


def _secret(source: Source) -> str:
    return salted_hmac(_SALT, f"{source.pk}:{source.hook}", algorithm="sha256").hexdigest()[:40]
