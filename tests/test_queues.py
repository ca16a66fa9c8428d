"""Work in the background: which queue a task waits in, and that each queue has a worker."""

from __future__ import annotations

import pytest
from celery import current_app
from django.conf import settings

from netvexa.embedded.ports import free_port
from netvexa.supervisor.plan import plan_from
from tests.isolation import surface


def queue_of(task: str) -> str:
    name: str = current_app.amqp.router.route({}, task)["queue"].name
    return name


@pytest.mark.django_db  # loading the tasks runs Django's checks
def test_only_what_is_about_money_waits_in_the_queue_for_it() -> None:
    tasks = surface.tasks()

    assert {name for name in tasks if queue_of(name) == "billing"} == {
        name for name in tasks if name.startswith("billing.")
    }
    assert queue_of("knowledge.tasks.ingest_document") == "celery"


def test_every_queue_has_exactly_one_worker() -> None:
    plan = plan_from({"NETVEXA_PORT": str(free_port())})
    commands = [*plan.services.values(), *plan.later.values()]
    served = [command[list(command).index("--queues") + 1] for command in commands if "--queues" in command]

    assert sorted(served) == sorted(queue.name for queue in settings.CELERY_TASK_QUEUES)
