"""What was read of a scan's pages is kept in Redis until the document is stored.

No page is read twice, whatever cut the reading off: a worker that was killed, a limit, or the end of a slice.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable

from django.core.cache import cache
from redis.exceptions import RedisError

from knowledge.parsing import ocr
from knowledge.parsing.scan import Scan
from tenants.context import current_workspace

logger = logging.getLogger(__name__)

KEPT = 24 * 3600  # seconds: for those, too, who retry tomorrow what a limit refused today
MOST_KEPT = 40_000_000  # letters of one document, several thousand pages


class KeptScan(Scan):
    """Begins with what is kept. `show` is called before each page that is read."""

    def __init__(self, data: bytes, *, show: Callable[[KeptScan], None]) -> None:
        content = hashlib.sha256(data).hexdigest()
        self._key = f"{current_workspace().key}:scan:{ocr.edition()}:{content}"
        super().__init__(_kept(self._key))
        self._show = show
        self._size = sum(len(read or "") for read in self.known.values())
        self._all_kept = True
        self.page = self.pages = 0  # that is being read, and of how many
        self.gained = False  # whether a page was read and kept that was not known before

    @property
    def has_next(self) -> bool:
        """Whether who reads the document again will get further than this time."""
        return self.gained and self._all_kept

    def begins(self, page: int, *, of: int) -> None:
        super().begins(page, of=of)
        self.page, self.pages = page, of
        self._show(self)

    def ends(self, page: int, read: str | None) -> None:
        super().ends(page, read)
        self._size += len(read or "")
        if self._size <= MOST_KEPT and self._keep(page, read):
            self.gained = True
        else:
            self._all_kept = False

    def _keep(self, page: int, read: str | None) -> bool:
        try:
            cache.set_many({self._key: list(self.known), f"{self._key}:{page}": read}, KEPT)
        except RedisError:
            logger.info("Redis cannot be reached, a page is kept nowhere until its document is stored")
            return False
        return True

    def is_stored(self) -> None:
        """The document is stored: nothing has to be kept beside it."""
        if not self.known:
            return
        try:
            cache.delete_many([self._key, *(f"{self._key}:{page}" for page in self.known)])
        except RedisError:
            logger.info("Redis cannot be reached, pages that are stored go by themselves")


def _kept(key: str) -> dict[int, str | None]:
    try:
        names = {f"{key}:{page}": page for page in cache.get(key, ())}
        return {names[name]: read for name, read in cache.get_many(names).items()}
    except RedisError:
        return {}
