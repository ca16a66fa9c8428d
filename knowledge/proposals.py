"""What changes of knowledge would bring, laid over what serves, so that an agent can be asked before they hold; and
doing them.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from django.db.models import Exists, Max, Min, OuterRef, QuerySet
from django.utils import timezone

from agents.audiences import checked
from agents.models import Agent
from knowledge import documents, history, ingest, leaving, profiles, pushing, retrieval
from knowledge.candidates import Draft, Overlay
from knowledge.embedding import profile_for
from knowledge.gated import Meant, Moved
from knowledge.models import WEB_KINDS, Document, DocumentStatus, Source, SyncState, Version
from knowledge.passages import chunk_row
from knowledge.pushing import Pushed
from knowledge.tasks import settle_profile
from knowledge.vectors import vectors_of
from knowledge.versions import content_of, newest
from netvexa.lib.errors import NotFound

MAX_BYTES = 5_000_000  # of a version whose passages are made for a test alone
QUIET = timedelta(seconds=20)  # without anything new: what comes together is tried together
LONGEST = timedelta(minutes=10)  # that the first waits while more and more comes
NAMED = 10


def overlay_of(version_id: UUID | str) -> Overlay:
    """A draft or an earlier version in the place of the one that serves. Raises NotFound, and AppError where it
    cannot be read.
    """
    version = _version(version_id)
    document = version.document
    draft = _draft(document, version, content_of(version), audience=document.source.audience)
    return Overlay(without=frozenset({document.pk}), draft=draft)


def _draft(document: Document, version: Version, data: bytes, *, audience: str) -> Draft:
    agent_id = document.source.agent_id
    parsed = ingest.read_content(document, version, data)
    profile = retrieval.reading_of(agent_id).profile
    passages = ingest.passages_of(parsed, profile)
    vectors = vectors_of(passages, profile).result()
    rows = [
        chunk_row(
            passage,
            vectors[passage.content_hash],
            version=version,
            agent_id=agent_id,
            ordinal=ordinal,
            profile_id=profile.id,
        )
        for ordinal, passage in enumerate(passages)
    ]
    return Draft(
        document_id=document.pk,
        version_id=version.pk,
        title=document.title,
        url=document.url,
        chunks=tuple(rows),
        audience=audience,
    )


def meant_for(meant: Meant) -> Overlay:
    """A source for another audience."""
    ids = _source(meant["source"]).documents.values_list("pk", flat=True)
    return Overlay(moved=frozenset(ids), audience=meant["audience"])


def with_pushed(moved: Moved) -> Overlay:
    """A sent document for another audience, with what came with it. Raises AppError where it cannot be read."""
    document, pushed = _document(moved["document"]), Pushed(**moved["pushed"])
    audience = checked(pushed.audience)
    if pushed.draft:
        return Overlay(moved=frozenset({document.pk}), audience=audience)
    document.title, document.url = pushed.title, pushed.url
    version = Version(document=document, name=pushing.NAMES[pushed.format])
    draft = _draft(document, version, pushed.content.strip().encode(), audience=audience)
    return Overlay(without=frozenset({document.pk}), draft=draft)


def without_source(source_id: UUID | str) -> Overlay:
    ids = _source(source_id).documents.values_list("pk", flat=True)
    return Overlay(without=frozenset(ids))


def without_document(document_id: UUID | str) -> Overlay:
    return Overlay(without=frozenset({_document(document_id).pk}))


def is_triable(version_id: UUID | str) -> bool:
    """Whether a version's passages are made for a test alone."""
    version = _version(version_id)
    return bool(version.file) and version.size <= MAX_BYTES


def publish(version_id: UUID | str) -> list[str]:
    """Let the draft be read and serve; what is to serve. Raises Invalid for what is no draft."""
    history.publish(_version(version_id))
    return [str(version_id)]


def restore(version_id: UUID | str, *, by: UUID | None) -> list[str]:
    """What is to serve. Raises Invalid where it is the newest by now."""
    return [str(history.go_back(_version(version_id), by=by).pk)]


def mean_for(meant: Meant) -> None:
    """Let the source answer those whom it is meant for now."""
    documents.set_audience(_source(meant["source"]), meant["audience"])


def push(agent: Agent, moved: Moved, *, by: UUID | None) -> list[str]:
    """Take in what was sent; what is to serve. Raises NotFound where the document was deleted meanwhile."""
    _document(moved["document"])
    document, _is_new = pushing.push(agent, Pushed(**moved["pushed"]), added_by=by)
    version = newest(document)
    return [str(version.pk)] if version is not None else []


# What comes in the background, was read and waits


def waiting(agent_id: UUID) -> list[str]:
    """The versions that wait for their test, and the documents that are to go; none while more is on its way."""
    staged = Document.objects.filter(source__agent_id=agent_id, status=DocumentStatus.STAGED)
    times = staged.aggregate(first=Min("updated_at"), last=Max("updated_at"))
    if times["first"] is None:
        return []
    now = timezone.now()
    is_quiet = now - times["last"] >= QUIET and not _comes_more(agent_id)
    if not is_quiet and now - times["first"] < LONGEST:
        return []
    rows = [document if document.is_leaving else newest(document) for document in staged]
    return [str(row.pk) for row in rows if row is not None]


def agents_with_waiting() -> QuerySet[Agent]:
    """Agents of whose knowledge something waits for its test."""
    staged = Document.objects.filter(source__agent=OuterRef("pk"), status=DocumentStatus.STAGED)
    return Agent.objects.filter(Exists(staged))


def _comes_more(agent_id: UUID) -> bool:
    unread = Document.objects.unfinished().filter(source__agent_id=agent_id)
    syncing = Source.objects.filter(agent_id=agent_id, sync_state=SyncState.RUNNING)
    return unread.exists() or syncing.exists()


def with_content(ids: Sequence[str]) -> Overlay:
    rows = list(_staged(ids))
    replaced = {row.document_id for row in rows}
    return Overlay(
        without=frozenset(replaced.union(row.pk for row in _leaving(ids))),
        staged=frozenset(row.pk for row in rows),
    )


def let_serve(ids: Sequence[str]) -> None:
    """Let those serve, and go, that still wait; others were followed by newer content."""
    for version in _staged(ids):
        ingest.publish(version.document, version)
        settle_profile.enqueue(version.document.source.agent_id)  # which may have been changed meanwhile
    for document in _leaving(ids):
        leaving.go(document.pk)


def keep_out(ids: Sequence[str]) -> None:
    """Make drafts of those that wait, and keep what was to go. A web page stays as it is until somebody lets it follow
    its site again.
    """
    for version in _staged(ids):
        _as_draft(version)
        _keep(version.document)
    for document in _leaving(ids):
        newest_one = newest(document)
        if newest_one is not None and newest_one.pk != document.live_id:
            _as_draft(newest_one)
        document.error = document.error_code = ""
        _keep(document)


def _as_draft(version: Version) -> None:
    version.draft, version.remark = True, "Kept out after its test"
    version.save(update_fields=["draft", "remark"])
    version.chunks.all().delete()


def _keep(document: Document) -> None:
    document.status = DocumentStatus.READY if document.live_id else DocumentStatus.DRAFT
    document.pinned = document.pinned or document.source.kind in WEB_KINDS
    document.save(update_fields=["status", "pinned", "error", "error_code", "updated_at"])


def names_of_new(ids: Sequence[str], *, replacing: bool) -> list[str]:
    """The documents with their sources, the first of many: those that serve something, or the others."""
    rows = _staged(ids).filter(document__live__isnull=not replacing)
    return _names([version.document for version in rows])


def names_of_leaving(ids: Sequence[str]) -> list[str]:
    """Likewise of those that go."""
    return _names(list(_leaving(ids)))


def _names(rows: Sequence[Document]) -> list[str]:
    names = [
        f"{row.title} ({row.source.title})" if row.source.title != row.title else row.title
        for row in rows[:NAMED]
    ]
    return names + ([f"and {len(rows) - NAMED} more"] if len(rows) > NAMED else [])


def _leaving(ids: Sequence[str]) -> QuerySet[Document]:
    return Document.objects.leaving().filter(pk__in=ids).select_related("source").order_by("pk")


def _staged(ids: Sequence[str]) -> QuerySet[Version]:
    rows = Version.objects.filter(pk__in=ids, document__status=DocumentStatus.STAGED, document__error_code="")
    newer = Version.objects.filter(document=OuterRef("document"), number__gt=OuterRef("number"), draft=False)
    return rows.exclude(Exists(newer)).select_related("document__source__agent").order_by("pk")


def with_profile(profile_id: str) -> Overlay:
    return Overlay(profile=profile_id)


def turn_to(agent_id: UUID, profile_id: str) -> bool:
    """Let searches use the profile; False where it is not whole, and has to be tried again."""
    done = profiles.turn(agent_id, profile_for(profile_id))
    if not done:
        settle_profile.enqueue(agent_id)
    return done


def stay(agent_id: UUID) -> None:
    """Go on with the embedding profile that serves."""
    profiles.stay(agent_id)


def delete_source(source_id: UUID | str) -> None:
    documents.delete_source(_source(source_id))


def delete_document(document_id: UUID | str) -> None:
    pushing.remove(_document(document_id))


def name_of_version(version_id: UUID | str) -> str:
    """Such as "Price list, version 3"."""
    version = _version(version_id)
    return f"{version.document.title}, version {version.number}"


def name_of_source(source_id: UUID | str) -> str:
    return _source(source_id).title


def name_of_document(document_id: UUID | str) -> str:
    return _document(document_id).title


def told_of_audience(meant: Meant) -> tuple[str, str, str]:
    """What changes: of what, and whom it is meant for before and after."""
    source = _source(meant["source"])
    return f"Audience of “{source.title}”", _named(source.audience), _named(meant["audience"])


def told_of_pushed(moved: Moved) -> tuple[str, str, str]:
    """Likewise of a sent document."""
    document, pushed = _document(moved["document"]), Pushed(**moved["pushed"])
    return f"Audience of “{pushed.title}”", _named(document.source.audience), _named(checked(pushed.audience))


def _named(audience: str) -> str:
    return f"visitors of “{audience}” only" if audience else "everybody"


def _source(source_id: UUID | str) -> Source:
    return Source.objects.get_or_404(source_id)


def _document(document_id: UUID | str) -> Document:
    return Document.objects.get_or_404(document_id)


def _version(version_id: UUID | str) -> Version:
    version = Version.objects.filter(pk=version_id).select_related("document__source__agent").first()
    if version is None:
        raise NotFound("There is no such version.")
    return version
