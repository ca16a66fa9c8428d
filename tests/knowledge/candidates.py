"""A candidate as a search finds it, for what compares candidates without a database."""

from __future__ import annotations

from uuid import uuid4

from knowledge.candidates import Candidate

SOME_CANDIDATE = Candidate(
    chunk_id=uuid4(),
    document_id=uuid4(),
    title="",
    url="",
    anchor="",
    page=None,
    page_label="",
    heading_path=(),
    text="x",
    spans=(),
    words=b"",
    content_hash="",
    cosine=0.5,
    lexical=1.0,
    version_id=uuid4(),
)
