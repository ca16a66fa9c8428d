"""A fact in every workspace that nobody else may ever read, and that no answer is ever made of.

It stands where answers come from, in the table and the indexes of the chunks, but in no version of a document
and under an agent that nobody has. Everything that searches, counts or lists chunks goes through the version that
serves, so that no visitor meets it and no limit counts it; only `nearest` looks for it. The word names the
workspace: whoever reads one knows at once whose it is. Call inside the workspace.
"""

from __future__ import annotations

import re
import secrets
from uuid import UUID

from pgvector import HalfVector

from knowledge.embedding import DEFAULT_PROFILE, embed_query
from knowledge.fields import Distance
from knowledge.index import document_weights
from knowledge.models import CANARY_AGENT, Chunk, Document
from knowledge.terms import content_terms
from tenants.context import current_workspace

QUESTION = "What is the canary word of this workspace?"
MARK = "nvxcanary"  # how every word begins
_WORD = re.compile(MARK + r"([0-9a-z]{1,20})x[0-9a-f]{24}")
_NEAREST = 20


def plant() -> str:
    """The workspace's word; made at the first call."""
    planted = Chunk.objects.filter(agent_id=CANARY_AGENT).values_list("content_hash", flat=True).first()
    if planted is not None:
        return str(planted)
    word = f"{MARK}{current_workspace().key}x{secrets.token_hex(12)}"
    text = f"The canary word of this workspace is {word}."
    terms = [term.text for term in content_terms(text)]
    Chunk.objects.create(
        agent_id=CANARY_AGENT,
        ordinal=0,
        text=text,
        tokens=len(terms),
        content_hash=word,
        profile=DEFAULT_PROFILE.id,
        embedding=HalfVector(embed_query(text, words=(), profile=DEFAULT_PROFILE).vector),
        lexical=document_weights(terms),
        search=terms,
    )
    return word


def nearest() -> str:
    """What a search by meaning for canaries finds among all chunks that this connection can see, as one text."""
    vector = embed_query(QUESTION, words=(), profile=DEFAULT_PROFILE).vector
    near = Chunk.objects.order_by(Distance("embedding", HalfVector(vector)))
    marked = Chunk.objects.filter(agent_id=CANARY_AGENT)
    return "\n".join(
        [*near.values_list("text", flat=True)[:_NEAREST], *marked.values_list("text", flat=True)]
    )


def newest_document() -> UUID | None:
    """A row that only this workspace may name."""
    return Document.objects.order_by("-pk").values_list("pk", flat=True).first()


def owners_of(text: str) -> set[str]:
    """The keys of the workspaces whose words stand in this text."""
    return set(_WORD.findall(text))
