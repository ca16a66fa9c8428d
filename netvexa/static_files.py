"""Which files of static/ are served: what was built, not what it was built from."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.contrib.staticfiles.finders import FileSystemFinder

SOURCES = "src"


class BuiltFilesFinder(FileSystemFinder):
    """STATICFILES_DIRS without static/src, where the style sheet's sources and its tools are."""

    def list(self, ignore_patterns: Iterable[str] | None) -> Iterable[Any]:
        return super().list([*(ignore_patterns or []), SOURCES])
