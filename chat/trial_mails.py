"""The mail about new content, or another embedding model, that breaks test questions."""

from __future__ import annotations

from urllib.parse import urlsplit
from uuid import UUID

from django.conf import settings

from chat import verdicts
from chat.models import Trial
from chat.quality_models import TrialState
from tenants import mail
from tenants.context import current_workspace
from tenants.models import Membership, Role


def broken(trial_id: UUID) -> None:
    """To whoever may decide, what new content or another embedding model breaks. Raises NotFound."""
    trial = Trial.objects.get_or_404(trial_id)
    is_bad = trial.broken or trial.state == TrialState.FAILED
    if not (is_bad and verdicts.is_of_background(trial)):
        return
    workspace = current_workspace()
    root = urlsplit(settings.ROOT_URL)
    link = f"{root.scheme}://{workspace.slug}.{root.netloc}/improve/runs/{trial.pk}/"
    context = {"workspace": workspace, "trial": trial, "link": link}
    deciding = Membership.objects.filter(workspace=workspace, role__in=(Role.OWNER, Role.ADMIN))
    for member in deciding.with_people():
        mail.send("tests", to=member.user.email, context=context)
