"""What a person meets who adds a file at a bad moment, or a bad file, in a browser."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Page, expect

from agents.models import Agent
from knowledge.models import Document, DocumentStatus
from netvexa.celery import app as celery
from tenants.context import in_tenant
from tenants.models import User, Workspace
from tests.plugins.people import PASSWORD
from tests.plugins.processes import Site, running_worker

pytestmark = pytest.mark.django_db(transaction=True)
MB = 1024 * 1024
QUEUE = "celery"


@pytest.fixture
def agent(workspace: Workspace) -> Agent:
    with in_tenant(workspace):
        return Agent.objects.create(name="Vexa")


@pytest.fixture
def knowledge_page(page: Page, site: Site, agent: Agent) -> Page:
    page.goto(site.url("acme", f"/knowledge/agents/{agent.pk}/"))
    page.get_by_label("E-mail").fill(User.objects.get().email)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url(f"**/knowledge/agents/{agent.pk}/")
    return page


@pytest.fixture
def huge_file(tmp_path: Path) -> Iterator[Path]:
    """300 MB that take no room on the disk."""
    path = tmp_path / "huge.txt"
    with path.open("wb") as file:
        file.truncate(300 * MB)
    yield path
    path.unlink()


def test_a_huge_file_is_refused_before_it_is_sent(
    knowledge_page: Page, huge_file: Path, workspace: Workspace
) -> None:
    field = knowledge_page.locator("input[type=file]").first
    field.set_input_files(huge_file)
    knowledge_page.get_by_role("button", name="Add source").click()

    assert "larger than 20 MB" in field.evaluate("field => field.validationMessage")
    with in_tenant(workspace):
        assert not Document.objects.exists()


def test_a_huge_body_is_answered_with_413_and_kept_nowhere(site: Site, huge_file: Path) -> None:
    with huge_file.open("rb") as file:
        answer = httpx.post(
            f"http://127.0.0.1:{site.port}/sign-up/",
            files={"file": file},
            headers={"Host": f"localhost:{site.port}", "Accept": "application/json"},
            timeout=120,
        )

    assert answer.status_code == 413
    assert answer.json() == {
        "code": "too_large",
        "detail": "This is too large: a file may have 20 MB at most.",
    }


def test_a_huge_body_of_undeclared_length_is_answered_alike(site: Site) -> None:
    answer = httpx.post(
        f"http://127.0.0.1:{site.port}/sign-up/",
        content=(b"x" * MB for _ in range(40)),
        headers={"Host": f"localhost:{site.port}", "Accept": "application/json"},
        timeout=120,
    )

    assert answer.status_code == 413


@pytest.fixture
def _no_worker() -> Iterator[None]:
    """The worker that other tests of this process share takes no work."""
    celery.control.cancel_consumer(QUEUE, reply=True)
    yield
    celery.control.add_consumer(QUEUE, reply=True)


@pytest.mark.usefixtures("_no_worker")
def test_a_file_added_while_no_worker_runs_waits_and_is_read_when_one_comes(
    knowledge_page: Page, workspace: Workspace, tmp_path: Path
) -> None:
    note = tmp_path / "returns.md"
    note.write_text("# Returns\n\nOrders can be sent back within 30 days.\n")
    knowledge_page.locator("input[type=file]").first.set_input_files(note)
    knowledge_page.get_by_role("button", name="Add source").click()
    expect(knowledge_page.get_by_text("Waiting", exact=False).first).to_be_visible()

    with running_worker(tmp_path):
        expect(knowledge_page.get_by_text("Ready", exact=True)).to_be_visible(timeout=60_000)
    with in_tenant(workspace):
        assert Document.objects.get().status == DocumentStatus.READY
