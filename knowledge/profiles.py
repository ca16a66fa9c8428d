"""Which embedding model reads an agent's knowledge, and changing it while the old index serves.

English knowledge is read with the smaller, quicker English model, anything else with the multilingual one. Vectors
of two models are never compared: a search uses the agent's one profile. A change embeds every serving chunk again
beside the old one, and only when none is missing do searches turn to the new ones, in one step.
"""

from __future__ import annotations

from itertools import islice
from uuid import UUID

from django.db import transaction
from django.db.models import Count, F, Q, QuerySet, Sum

from agents.gates import Change, Deed, held
from agents.models import Agent, KnowledgeLanguages
from knowledge.chunking import ChunkDraft, Sentence
from knowledge.embedding import (
    DEFAULT_PROFILE,
    MULTILINGUAL_PROFILE,
    EmbeddingProfile,
    profile_for,
)
from knowledge.models import Chunk, Version
from knowledge.passages import chunk_row, passage_of
from knowledge.vectors import vectors_of

ENGLISH = ("en", "")  # a text whose language nobody can tell is mostly codes and numbers
OTHER_SHARE = 0.1  # of the chunks, from which on knowledge counts as multilingual
BATCH = 64
MOST_ROUNDS = 10  # a round more is needed where documents came in during one


def serving_profile(agent: Agent) -> EmbeddingProfile:
    """The profile that searches of this agent use now."""
    return profile_for(agent.knowledge_profile) if agent.knowledge_profile else DEFAULT_PROFILE


def profile_of_first(agent: Agent, *, language: str) -> EmbeddingProfile:
    """The profile to read a document with; the first document of an agent decides it by its language."""
    if agent.knowledge_profile or _serving_versions(agent.pk).exists():
        return serving_profile(agent)
    profile = _by_setting(agent) or (DEFAULT_PROFILE if language in ENGLISH else MULTILINGUAL_PROFILE)
    Agent.objects.filter(pk=agent.pk, knowledge_profile="").update(knowledge_profile=profile.id)
    agent.refresh_from_db(fields=["knowledge_profile"])
    return serving_profile(agent)


def wanted_profile(agent: Agent) -> EmbeddingProfile:
    """The profile that the agent's setting, or what it knows by now, asks for."""
    by_setting = _by_setting(agent)
    if by_setting is not None:
        return by_setting
    rows = _serving_versions(agent.pk).order_by().values_list("language").annotate(share=Sum("chunk_count"))
    chunks: dict[str, int] = dict(rows)
    other = sum(count for language, count in chunks.items() if language not in ENGLISH)
    return MULTILINGUAL_PROFILE if other > OTHER_SHARE * sum(chunks.values()) else DEFAULT_PROFILE


def is_settled(agent: Agent) -> bool:
    """Whether searches use the wanted profile and find every serving chunk in it."""
    wanted = wanted_profile(agent)
    return serving_profile(agent) == wanted and not _lacking(agent.pk, wanted).exists()


def settle(agent_id: UUID) -> None:
    """Bring the agent to its wanted profile. Can be repeated: what was embedded is not embedded again."""
    agent = Agent.objects.filter(pk=agent_id).first()
    for _ in range(MOST_ROUNDS):
        if agent is None or is_settled(agent):
            break
        profile = wanted_profile(agent)
        for version in _lacking(agent_id, profile):
            _embed_again(version, agent_id=agent_id, profile=profile)
        if serving_profile(agent) != profile and held(
            Change(agent, None, deed=Deed.PROFILE, value=profile.id)
        ):
            return  # both are kept, and what comes meanwhile is read with both
        _turn_to(agent_id, profile)
        agent = Agent.objects.filter(pk=agent_id).first()
    if agent is not None:
        _forget_others(agent_id, serving_profile(agent))


def turn(agent_id: UUID, profile: EmbeddingProfile) -> bool:
    """Let searches use `profile`, whose vectors stand already; False where some are missing."""
    _turn_to(agent_id, profile)
    agent = Agent.objects.get(pk=agent_id)
    if serving_profile(agent) != profile:
        return False
    _forget_others(agent_id, profile)
    return True


def stay(agent_id: UUID) -> None:
    """Go on with the profile that serves: it becomes the agent's setting."""
    agent = Agent.objects.get(pk=agent_id)
    serving = serving_profile(agent)
    agent.knowledge_languages = (
        KnowledgeLanguages.ENGLISH if serving == DEFAULT_PROFILE else KnowledgeLanguages.MULTILINGUAL
    )
    agent.save(update_fields=["knowledge_languages", "updated_at"])
    _forget_others(agent_id, serving)


def _forget_others(agent_id: UUID, profile: EmbeddingProfile) -> None:
    """Delete the chunks that no search uses any more; a version that is still being read keeps its own."""
    unused = Chunk.objects.filter(agent_id=agent_id, version__serves__isnull=False).exclude(
        profile=profile.id
    )
    unused.exclude(version__in=_lacking(agent_id, profile)).delete()


def _turn_to(agent_id: UUID, profile: EmbeddingProfile) -> None:
    """Let searches use `profile`, unless a document came in meanwhile that lacks it."""
    with transaction.atomic():
        Agent.objects.select_for_update().filter(pk=agent_id).first()
        if not _lacking(agent_id, profile).exists():
            Agent.objects.filter(pk=agent_id).update(knowledge_profile=profile.id)


def _by_setting(agent: Agent) -> EmbeddingProfile | None:
    return {
        KnowledgeLanguages.ENGLISH.value: DEFAULT_PROFILE,
        KnowledgeLanguages.MULTILINGUAL.value: MULTILINGUAL_PROFILE,
    }.get(agent.knowledge_languages)


def _serving_versions(agent_id: UUID) -> QuerySet[Version]:
    return Version.objects.filter(serves__source__agent_id=agent_id)


def _lacking(agent_id: UUID, profile: EmbeddingProfile) -> QuerySet[Version]:
    """Serving versions with fewer chunks in this profile than they have."""
    return (
        _serving_versions(agent_id)
        .alias(read=Count("chunks", filter=Q(chunks__profile=profile.id)))
        .filter(read__lt=F("chunk_count"))
    )


def _embed_again(version: Version, *, agent_id: UUID, profile: EmbeddingProfile) -> None:
    """Store the version's chunks once more, with the vectors of `profile`."""
    done = set(version.chunks.filter(profile=profile.id).values_list("ordinal", flat=True))
    rows = version.chunks.exclude(profile=profile.id).order_by("ordinal", "profile").distinct("ordinal")
    missing = [row for row in rows if row.ordinal not in done]
    rest = iter(missing)
    while batch := list(islice(rest, BATCH)):
        passages = [passage_of(_draft(row), language=version.language, profile=profile) for row in batch]
        vectors = vectors_of(passages, profile)
        by_hash = vectors.result()
        rows_of_batch = [
            chunk_row(
                passage,
                by_hash[passage.content_hash],
                version=version,
                agent_id=agent_id,
                ordinal=row.ordinal,
                profile_id=profile.id,
            )
            for row, passage in zip(batch, passages, strict=True)
        ]
        Chunk.objects.bulk_create(rows_of_batch, ignore_conflicts=True)  # another worker may do the same
        vectors.are_stored()


def _draft(row: Chunk) -> ChunkDraft:
    spans = row.spans
    return ChunkDraft(
        heading_path=tuple(row.heading_path),
        text=row.text,
        sentences=tuple(
            Sentence(spans[at], spans[at + 1], spans[at + 2] or None) for at in range(0, len(spans), 4)
        ),
        tokens=row.tokens,
        page=row.page,
        page_label=row.page_label,
        anchor=row.anchor,
    )
