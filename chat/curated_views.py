"""Pages about exact answers: the list of an agent's, one with the log of its hits, made by hand, from a sheet or
from a conversation.
"""

from __future__ import annotations

import re
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Q
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from agents.gate_pages import tested_first
from agents.models import Agent
from chat import curated, curated_changes, gaps, receipts, tasks
from chat.curated_forms import CuratedForm, FixForm, ImportForm
from chat.models import CuratedAnswer, Gap, Message
from chat.quality_models import GapState
from netvexa.lib.errors import AppError, NotFound
from tenants import audit
from tenants.access import MemberRequest, Permission, member_required

_PER_PAGE = 30
_LOGGED = 20  # hits that a page shows
_MARK = re.compile(r"\s*\[\d{1,3}\]")


@member_required(Permission.VIEW)
@require_safe
def answers(request: MemberRequest, agent_id: UUID) -> HttpResponse:
    """The exact answers of an agent; those with these words if asked."""
    return _list(request, Agent.objects.get_or_404(agent_id), ImportForm())


def _list(request: MemberRequest, agent: Agent, form: ImportForm) -> HttpResponse:
    rows = (
        CuratedAnswer.objects.filter(agent=agent).prefetch_related("questions").order_by("-updated_at", "pk")
    )
    words = request.GET.get("q", "").replace("\0", "").strip()[:200]
    if words:
        rows = rows.filter(Q(answer__icontains=words) | Q(questions__text__icontains=words)).distinct()
    context = {
        **_head(agent),
        "page": Paginator(rows, _PER_PAGE).get_page(request.GET.get("page")),
        "words": words,
        "form": form,
    }
    return render(request, "improve/answers.html", context, status=422 if form.errors else 200)


def _head(agent: Agent) -> dict[str, Any]:
    return {"agent": agent, "tab": "improve", "part": "answers"}


@member_required(Permission.EDIT_KNOWLEDGE)
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: MemberRequest, agent_id: UUID) -> HttpResponse:
    """Write an exact answer; `?message=` names the answer of a conversation that is put right, `?gap=` the question
    asked in vain that is answered, and either may be kept in the knowledge instead.
    """
    agent = Agent.objects.get_or_404(agent_id)
    wrong, gap = _answer_of(agent, request.GET.get("message", "")), _gap_of(agent, request.GET.get("gap", ""))
    answer = CuratedAnswer(agent=agent, message=wrong, created_by=request.user.pk)
    suggested = _drafted(gap) if gap else _suggested(wrong)
    form_class = FixForm if wrong or gap else CuratedForm
    form = form_class(request.POST or None, instance=answer, initial=suggested)
    if (
        request.method == "POST"
        and form.is_valid()
        and (stored := _stored(request, form, gap=gap)) is not None
    ):
        return stored
    context = {**_head(agent), "form": form, "wrong": wrong}
    return render(request, "improve/answer.html", context, status=422 if form.errors else 200)


def _stored(request: MemberRequest, form: CuratedForm, *, gap: Gap | None) -> HttpResponse | None:
    """Store a valid form where it is to be kept; None, with an error on it, where that is refused."""
    if not isinstance(form, FixForm) or not form.is_knowledge:
        run = form.store(by=request.user.pk, gap=gap)
        return None if form.errors else _saved(request, form.instance, "curated_answer.added", run=run)
    kept = form.keep(by=request.user.pk)
    if kept is None:
        return None
    if gap is not None:
        gaps.settle(gap, GapState.HANDLED, by=request.user.pk)
    action = "source.added" if kept.is_new else "source.changed"
    questions = form.cleaned_data["wordings"]
    audit.record(action, request=request, subject=kept.source.title, after={"questions": questions})
    messages.success(
        request, f"Saved in “{kept.source.title}”. The agent answers from it as soon as it is read."
    )
    return redirect("knowledge:questions", kept.source.pk)


def _answer_of(agent: Agent, message_id: str) -> Message | None:
    if not message_id:
        return None
    try:
        rows = Message.objects.filter(pk=UUID(message_id), conversation__agent=agent)
    except ValueError:
        raise NotFound("There is no such answer.") from None
    if (found := rows.select_related("reply_to").first()) is None:
        raise NotFound("There is no such answer.")
    return found


def _gap_of(agent: Agent, gap_id: str) -> Gap | None:
    if not gap_id:
        return None
    try:
        found = Gap.objects.filter(pk=UUID(gap_id), agent=agent).first()
    except ValueError:
        found = None
    if found is None:
        raise NotFound("There is no such gap.")
    return found


def _drafted(gap: Gap) -> dict[str, Any]:
    suggestion = gaps.suggestion_for(gap)
    return {
        "wordings": suggestion["questions"],
        "answer": suggestion["draft"],
        "audience": suggestion["audience"],
    }


def _suggested(wrong: Message | None) -> dict[str, Any]:
    """What was asked and answered, to begin with."""
    if wrong is None:
        return {}
    asked = wrong.question
    said = _MARK.sub("", wrong.text) if wrong.outcome == "answered" else ""
    return {"wordings": [asked] if asked else [], "answer": said, "audience": receipts.audience_of(wrong)}


@member_required(Permission.VIEW)
@require_http_methods(["GET", "HEAD", "POST"])
def answer(request: MemberRequest, curated_id: UUID) -> HttpResponse:
    """One exact answer, to be changed, and in which conversations it was given."""
    row = CuratedAnswer.objects.get_or_404(curated_id)
    if request.method == "POST":
        return _change(request, curated_id)
    return _show(request, row, CuratedForm(instance=row, initial={"wordings": row.wordings}))


@member_required(Permission.EDIT_KNOWLEDGE)
def _change(request: MemberRequest, curated_id: UUID) -> HttpResponse:
    row = CuratedAnswer.objects.get_or_404(curated_id)
    form = CuratedForm(request.POST, instance=row)
    if form.is_valid():
        run = form.store(by=request.user.pk)
        if not form.errors:
            return _saved(request, row, "curated_answer.changed", run=run)
    return _show(request, row, form)


def _show(request: MemberRequest, row: CuratedAnswer, form: CuratedForm) -> HttpResponse:
    context = {**_head(row.agent), "form": form, "answer": row, "hits": curated.hits_of(row)[:_LOGGED]}
    return render(request, "improve/answer.html", context, status=422 if form.errors else 200)


def _saved(request: MemberRequest, row: CuratedAnswer, action: str, *, run: UUID | None) -> HttpResponse:
    if run is not None:
        return tested_first(request, run, deed=action, subject=row.agent.name)
    tasks.make_curated_vectors.enqueue(row.agent_id)
    audit.record(action, request=request, subject=row.wordings[0], after={"id": str(row.pk)})
    messages.success(request, "Saved. The next visitor who asks gets exactly this answer.")
    return redirect("improve:answers", row.agent_id)


@member_required(Permission.EDIT_KNOWLEDGE)
@require_POST
def delete(request: MemberRequest, curated_id: UUID) -> HttpResponse:
    """Take an exact answer away."""
    row = CuratedAnswer.objects.get_or_404(curated_id)
    name = row.wordings[0]
    if (run := curated_changes.delete(row, by=request.user.pk)) is not None:
        return tested_first(request, run, deed="curated_answer.deleted", subject=name)
    audit.record("curated_answer.deleted", request=request, subject=name, before={"text": row.answer})
    messages.success(request, "Deleted. These questions are answered from your sources again.")
    return redirect("improve:answers", row.agent_id)


@member_required(Permission.EDIT_KNOWLEDGE)
@require_POST
def import_file(request: MemberRequest, agent_id: UUID) -> HttpResponse:
    """Take exact answers from a sheet."""
    agent = Agent.objects.get_or_404(agent_id)
    form = ImportForm(request.POST, request.FILES)
    if not form.is_valid():
        return _list(request, agent, form)
    try:
        pairs = curated.pairs_in(form.cleaned_data["file"].read())
        audience = form.cleaned_data["audience"]
        run = curated_changes.import_pairs(agent, pairs, by=request.user.pk, audience=audience)
    except AppError as refused:
        form.add_error("file", refused.detail)
        return _list(request, agent, form)
    if run is not None:
        return tested_first(request, run, deed="curated_answer.imported", subject=agent.name)
    count = len(pairs)
    tasks.make_curated_vectors.enqueue(agent.pk)
    audit.record("curated_answer.imported", request=request, subject=agent.name, after={"questions": count})
    messages.success(request, f"{count} question{'' if count == 1 else 's'} with exact answers imported.")
    return redirect("improve:answers", agent.pk)
