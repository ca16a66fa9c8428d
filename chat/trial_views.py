"""Pages about test sets: the questions of an agent, its runs, and one run with what broke."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from agents.models import Agent, Judge
from chat import receipts, tasks, test_sets, trials, verdicts
from chat.change_gate import Decision, decide, is_of_knowledge
from chat.models import Expectation, Trial
from chat.quality_models import Verdict
from chat.trial_forms import ExpectationForm, SheetForm
from netvexa.lib.errors import AppError, Invalid, NotAllowed, NotFound
from tenants import audit
from tenants.access import MemberRequest, Permission, allows, member_required

_RUNS = 10


@member_required(Permission.VIEW)
@require_safe
def tests(request: MemberRequest, agent_id: UUID) -> HttpResponse:
    """The test set of an agent, and its last runs."""
    return _list(request, Agent.objects.get_or_404(agent_id), SheetForm())


def _list(request: MemberRequest, agent: Agent, form: SheetForm) -> HttpResponse:
    runs = list(agent.trials.order_by("-created_at")[:_RUNS])
    last = next((run for run in runs if run.is_of_what_holds), None)
    sides = {result["expectation"]: result["now"] for result in last.results} if last else {}
    context = {
        **_head(agent),
        "rows": [(row, sides.get(str(row.pk))) for row in agent.expectations.all()],
        "runs": [(run, trials.changes_of(run) if run.change else []) for run in runs],
        "form": form,
    }
    return render(request, "improve/tests.html", context, status=422 if form.errors else 200)


def _head(agent: Agent) -> dict[str, Any]:
    return {"agent": agent, "tab": "improve", "part": "tests"}


@member_required(Permission.EDIT_KNOWLEDGE)
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: MemberRequest, agent_id: UUID) -> HttpResponse:
    """Write a test question."""
    agent = Agent.objects.get_or_404(agent_id)
    return _edit(request, Expectation(agent=agent), is_new=True)


@member_required(Permission.EDIT_KNOWLEDGE)
@require_http_methods(["GET", "HEAD", "POST"])
def expectation(request: MemberRequest, expectation_id: UUID) -> HttpResponse:
    """Change a test question."""
    return _edit(request, Expectation.objects.get_or_404(expectation_id), is_new=False)


def _edit(request: MemberRequest, row: Expectation, *, is_new: bool) -> HttpResponse:
    form = ExpectationForm(request.POST or None, instance=row)
    if request.method == "POST" and form.is_valid() and _stored(form, row.agent, is_new=is_new):
        action = "test_question.added" if is_new else "test_question.changed"
        audit.record(action, request=request, subject=row.question[:200])
        messages.success(request, "Saved. The next run asks it.")
        return redirect("improve:tests", row.agent_id)
    context = {**_head(row.agent), "form": form, "expectation": None if is_new else row}
    return render(request, "improve/test.html", context, status=422 if form.errors else 200)


def _stored(form: ExpectationForm, agent: Agent, *, is_new: bool) -> bool:
    try:
        if is_new:
            test_sets.check_room(agent)
    except Invalid as full:
        form.add_error(None, full.detail)
        return False
    form.save()
    return True


@member_required(Permission.EDIT_KNOWLEDGE)
@require_POST
def delete(request: MemberRequest, expectation_id: UUID) -> HttpResponse:
    """Take a test question away."""
    row = Expectation.objects.get_or_404(expectation_id)
    audit.record("test_question.deleted", request=request, subject=row.question[:200])
    row.delete()
    messages.success(request, "Deleted.")
    return redirect("improve:tests", row.agent_id)


@member_required(Permission.EDIT_KNOWLEDGE)
@require_POST
def from_answer(request: MemberRequest, agent_id: UUID, message_id: UUID) -> HttpResponse:
    """Make a test question of what a visitor asked."""
    agent, answer = Agent.objects.get_or_404(agent_id), receipts.answer_or_404(message_id)
    if answer.conversation.agent_id != agent.pk:
        raise Invalid("This answer is another agent’s.")
    row = test_sets.expect_from(answer)
    audit.record("test_question.added", request=request, subject=row.question[:200])
    messages.success(request, "It is a test question now. Check what is expected of the answer.")
    return redirect("improve:test", row.pk)


@member_required(Permission.EDIT_KNOWLEDGE)
@require_POST
def import_file(request: MemberRequest, agent_id: UUID) -> HttpResponse:
    """Take test questions from a sheet."""
    agent, form = Agent.objects.get_or_404(agent_id), SheetForm(request.POST, request.FILES)
    if not form.is_valid():
        return _list(request, agent, form)
    try:
        count = test_sets.import_csv(agent, form.cleaned_data["file"].read())
    except AppError as refused:
        form.add_error("file", refused.detail)
        return _list(request, agent, form)
    audit.record("test_question.imported", request=request, subject=agent.name, after={"questions": count})
    messages.success(request, f"{count} test question{'' if count == 1 else 's'} imported.")
    return redirect("improve:tests", agent.pk)


@member_required(Permission.EDIT_KNOWLEDGE)
@require_POST
def run(request: MemberRequest, agent_id: UUID) -> HttpResponse:
    """Ask all test questions now."""
    agent = Agent.objects.get_or_404(agent_id)
    try:
        judge = Judge.ADVISE if request.POST.get("judge") and agent.judge == Judge.OFF else None
        trial = trials.begin(agent, by=request.user.pk, judge=judge)
    except Invalid as refused:
        messages.error(request, refused.detail)
        return redirect("improve:tests", agent.pk)
    audit.record("test_run.started", request=request, subject=agent.name, after={"id": str(trial.pk)})
    tasks.run_trial.enqueue(trial.pk)
    return redirect("improve:trial", trial.pk)


@member_required(Permission.VIEW)
@require_http_methods(["GET", "HEAD", "POST"])
def trial(request: MemberRequest, trial_id: UUID) -> HttpResponse:
    """A run: how far it is, what broke, and what becomes of the change that it tried."""
    if request.method == "POST":
        return _decide(request, trial_id)
    row = Trial.objects.get_or_404(trial_id)
    other = trials.earlier_run(row, _id_of(request.GET.get("against", "")))
    results = sorted(
        trials.compared(row, other), key=lambda one: (not trials.broke(one), not one["now"]["failed"])
    )
    context = {
        **_head(row.agent),
        "trial": row,
        "results": [(result, trials.broke(result)) for result in results],
        "changes": trials.changes_of(row, other),
        "earlier": trials.earlier_runs(row).defer("results"),
        "against": other,
        "broken": sum(map(trials.broke, results)),
        "may_apply": verdicts.may_apply(row),
        "may_decide": allows(request.member, _needed(row)),
    }
    template = "improve/parts/trial.html" if request.htmx else "improve/trial.html"  # type: ignore[attr-defined]
    return render(request, template, context)


def _id_of(text: str) -> UUID | None:
    """Raises NotFound for what is no id."""
    try:
        return UUID(text) if text else None
    except ValueError:
        raise NotFound("There is no such earlier run of this test set.") from None


_DONE = {
    Decision.APPLY: "The change is in use. It counts from the next message.",
    Decision.DROP: "The change is dropped. The agent stays as it is.",
    Decision.RETRY: "The change is tested again.",
}


def _needed(trial: Trial) -> Permission:
    return Permission.EDIT_KNOWLEDGE if is_of_knowledge(trial) else Permission.EDIT_AGENTS


def _decide(request: MemberRequest, trial_id: UUID) -> HttpResponse:
    row = Trial.objects.get_or_404(trial_id)
    if not allows(request.member, _needed(row)):
        raise NotAllowed
    decision = next((one for one in Decision if one == request.POST.get("action")), None)
    if decision is None:
        raise Invalid("Use the change, drop it, or test it again.")
    following = decide(row, decision)
    audit.record(f"change.{decision}", request=request, subject=row.agent.name, after={"id": str(row.pk)})
    if decision is Decision.APPLY and following.verdict != Verdict.APPLIED:
        messages.error(request, "Things were changed meanwhile, so this change was dropped. Make it again.")
    else:
        messages.success(request, _DONE[decision])
    return redirect("improve:trial", following.pk)
