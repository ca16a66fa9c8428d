"""Pages about the past of documents: versions, what changed, drafts, review, and what was known on a day."""

from __future__ import annotations

from datetime import datetime, time
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import OuterRef, Subquery
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from knowledge import documents, gated, history
from knowledge.models import Document, DocumentStatus, Source, SourceKind
from knowledge.parsing.qa import MAX_ANSWER, MAX_QUESTION, Pair, dump
from knowledge.questions import checked_pairs, pairs_of, pairs_of_csv
from knowledge.versions import content_of, newest, text_of
from knowledge.views import do
from netvexa.lib.errors import AppError, Invalid
from tenants import audit
from tenants.access import MemberRequest, Permission, member_required

_PER_PAGE = 25
_PAIRS_SHOWN = 50


@member_required(Permission.VIEW)
@require_GET
def versions(request: MemberRequest, document_id: UUID) -> HttpResponse:
    """A document's versions, newest first; with two numbers, what changed between them."""
    document = Document.objects.get_or_404(document_id)
    earlier = document.versions.filter(number__lt=OuterRef("number")).order_by("-number")
    rows = document.versions.annotate(before=Subquery(earlier.values("number")[:1])).order_by("-number")
    page = Paginator(rows, _PER_PAGE).get_page(request.GET.get("page"))
    context: dict[str, object] = {"document": document, "source": document.source, "page": page}
    if document.status == DocumentStatus.STAGED and not document.is_leaving:
        context["waiting"] = newest(document)
    old, new = request.GET.get("from", ""), request.GET.get("to", "")
    if old.isdecimal() and new.isdecimal():
        context |= {"old": int(old), "new": int(new), **_comparison(document, int(old), int(new))}
    return render(request, "knowledge/versions.html", context)


def _comparison(document: Document, old: int, new: int) -> dict[str, object]:
    first, second = history.version_of(document, old), history.version_of(document, new)
    try:
        return {"lines": history.compare(first, second), "compared": True}
    except Invalid as refused:
        return {"refused": refused.detail}


@member_required(Permission.EDIT_KNOWLEDGE)
@require_POST
def restore(request: MemberRequest, document_id: UUID, number: int) -> HttpResponse:
    """Go back to an older version."""
    document = Document.objects.get_or_404(document_id)
    version = history.version_of(document, number)
    return do(request, document, lambda: gated.restore(version, by=request.user.pk), "document.restored")


@member_required(Permission.EDIT_KNOWLEDGE)
@require_POST
def publish(request: MemberRequest, document_id: UUID, number: int) -> HttpResponse:
    """Let a draft serve."""
    document = Document.objects.get_or_404(document_id)
    version = history.version_of(document, number)
    return do(request, document, lambda: gated.publish(version, by=request.user.pk), "document.published")


@member_required(Permission.EDIT_KNOWLEDGE)
@require_POST
def release(request: MemberRequest, document_id: UUID) -> HttpResponse:
    """Let a page follow its original again."""
    document = Document.objects.get_or_404(document_id)
    return do(request, document, lambda: history.release(document), "document.released")


@member_required(Permission.EDIT_KNOWLEDGE)
@require_POST
def approve(request: MemberRequest, document_id: UUID) -> HttpResponse:
    """Use what was held for review."""
    document = Document.objects.get_or_404(document_id)
    return do(request, document, lambda: history.approve(document, by=request.user.pk), "document.approved")


@member_required(Permission.EDIT_KNOWLEDGE)
@require_POST
def refuse(request: MemberRequest, document_id: UUID) -> HttpResponse:
    """Keep out what was held for review."""
    document = Document.objects.get_or_404(document_id)
    return do(request, document, lambda: history.refuse(document), "document.refused")


@member_required(Permission.VIEW)
@require_GET
def known(request: MemberRequest) -> HttpResponse:
    """What answers came from at the end of a day, in the workspace's own time; one document with its text."""
    day = parse_date(request.GET.get("day", "")) or timezone.localdate()
    moment = timezone.make_aware(datetime.combine(day, time(23, 59, 59)))
    rows = history.known_at(min(moment, timezone.now()))
    page = Paginator(rows, _PER_PAGE).get_page(request.GET.get("page"))
    chosen = next((row for row in page if str(row.pk) == request.GET.get("version")), None)
    context = {"day": day, "page": page, "chosen": chosen, "text": text_of(chosen) if chosen else ""}
    return render(request, "knowledge/known.html", context)


@member_required(Permission.EDIT_KNOWLEDGE)
@require_POST
def replace_file(request: MemberRequest, source_id: UUID) -> HttpResponse:
    """Replace a file, at once or as a draft; what serves goes on until the new one is read."""
    source = Source.objects.get_or_404(source_id)
    file = request.FILES.get("file")
    if source.kind != SourceKind.FILE or file is None:
        messages.error(request, "Choose a file.")
        return redirect("knowledge:show", source.pk)
    try:
        draft = "draft" in request.POST
        documents.update_file(source, file, name=file.name or "", draft=draft, author=request.user.pk)
    except AppError as refused:
        messages.error(request, refused.detail)
    else:
        audit.record("source.changed", request=request, subject=source.title, after={"draft": draft})
        messages.success(request, "Saved as a draft." if draft else "The new file is being read.")
    return redirect("knowledge:show", source.pk)


@member_required(Permission.EDIT_KNOWLEDGE)
@require_http_methods(["GET", "HEAD", "POST"])
def text(request: MemberRequest, source_id: UUID) -> HttpResponse:
    """Write a pasted text anew, as a draft or at once."""
    source = Source.objects.get_or_404(source_id)
    if source.kind != SourceKind.TEXT:
        raise Invalid("Only pasted texts are edited here.")
    newest = source.documents.get().versions.order_by("-number").first()
    if request.method == "POST" and _save(request, source, request.POST.get("text", "").strip().encode()):
        return redirect("knowledge:show", source.pk)
    current = content_of(newest).decode() if newest and newest.file else ""
    context = {"source": source, "text": request.POST.get("text", current), "newest": newest}
    return render(request, "knowledge/text.html", context, status=422 if request.method == "POST" else 200)


@member_required(Permission.EDIT_KNOWLEDGE)
@require_http_methods(["GET", "HEAD", "POST"])
def questions(request: MemberRequest, source_id: UUID) -> HttpResponse:
    """The pairs of a set: add, change, take away, import."""
    source = Source.objects.get_or_404(source_id)
    pairs = pairs_of(source)
    if request.method == "POST" and _change_pairs(request, source, pairs):
        return redirect("knowledge:questions", source.pk)
    page = Paginator(list(enumerate(pairs)), _PAIRS_SHOWN).get_page(request.GET.get("page"))
    context = {
        "source": source,
        "page": page,
        "count": len(pairs),
        "newest": source.documents.get().versions.order_by("-number").first(),
        "limits": {"question": MAX_QUESTION, "answer": MAX_ANSWER},
    }
    return render(
        request, "knowledge/questions.html", context, status=422 if request.method == "POST" else 200
    )


def _change_pairs(request: MemberRequest, source: Source, pairs: list[Pair]) -> bool:
    """Apply one change; False, with a message, when it is refused."""
    try:
        changed = checked_pairs(_changed(request, source, pairs))
    except AppError as refused:
        messages.error(request, refused.detail)
        return False
    return _save(request, source, dump(changed))


def _changed(request: MemberRequest, source: Source, pairs: list[Pair]) -> list[Pair]:
    """The form was made from one version: a change that somebody made meanwhile is never overwritten."""
    newest = source.documents.get().versions.order_by("-number").first()
    if newest is not None and request.POST.get("version") != str(newest.number):
        raise Invalid("Somebody changed this set meanwhile. Look at it again, then make your change.")
    file = request.FILES.get("pairs")
    if file is not None:
        return pairs + pairs_of_csv(file.read())
    at = request.POST.get("pair", "")
    given = Pair(request.POST.get("question", ""), request.POST.get("answer", ""))
    if not at.isdecimal():
        return [*pairs, given]
    kept = [pair for index, pair in enumerate(pairs) if index != int(at)]
    if "delete" not in request.POST:
        kept.insert(int(at), given)
    return kept


def _save(request: MemberRequest, source: Source, data: bytes) -> bool:
    draft = "draft" in request.POST
    try:
        documents.update_file(source, data, draft=draft, author=request.user.pk)
    except AppError as refused:
        messages.error(request, refused.detail)
        return False
    audit.record("source.changed", request=request, subject=source.title, after={"draft": draft})
    messages.success(request, "Saved as a draft." if draft else "Saved; it serves in a moment.")
    return True
