"""Columns that Django and pgvector do not bring, and the space that all vectors live in."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.contrib.postgres.search import SearchVectorField
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models.sql.compiler import SQLCompiler
from pgvector.django import CosineDistance

# The one place that knows the vectors' shape and what is near. Half precision: half the space and the same neighbours.
EMBEDDING_DIMENSION = 384  # of every embedding profile
EMBEDDING_OPERATORS, DISTANCE, Distance = "halfvec_cosine_ops", "<=>", CosineDistance


class LexemesField(SearchVectorField):  # type: ignore[type-arg]  # not generic at run time
    """A tsvector made of terms that we stemmed ourselves, so that documents and queries agree in every
    language.
    """

    def get_placeholder(self, value: Any, compiler: SQLCompiler, connection: BaseDatabaseWrapper) -> str:
        return "%s::tsvector"

    def get_prep_value(self, value: Iterable[str] | str | None) -> str | None:
        if value is None or isinstance(value, str):
            return value
        return " ".join(quoted_lexeme(term) for term in sorted(set(value)))


def quoted_lexeme(term: str) -> str:
    """As tsvector and tsquery read it: in quotes, with quotes and backslashes doubled."""
    return "'" + term.replace("\\", "\\\\").replace("'", "''") + "'"
