"""PostgreSQL or Redis cannot be reached, from the start or in the middle: a sentence, and recovery by itself."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import httpx
import pytest

from netvexa.embedded.home import make_home
from netvexa.embedded.ports import free_port
from netvexa.embedded.redis import Redis
from tenants.context import in_tenant
from tenants.keys import Scope, make_key
from tenants.models import Workspace
from tests.plugins.processes import PROJECT, Site, running_site
from tests.plugins.servers import HOME_VARIABLE

pytestmark = pytest.mark.django_db(transaction=True)
HTML = {"Accept": "text/html"}


def _at(url: str, port: int) -> str:
    """The same address at a port where nobody listens."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=f"{parts.netloc.rpartition(':')[0]}:{port}"))


@pytest.fixture(scope="module")
def site_without_database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    dead = _at(os.environ["DATABASE_URL"], free_port())
    with running_site(tmp_path_factory.mktemp("no-database"), DATABASE_URL=dead) as site:
        yield site


def _get(site: Site, slug: str, path: str = "/") -> httpx.Response:
    host = f"{slug}.localhost" if slug else "localhost"
    return httpx.get(f"http://127.0.0.1:{site.port}{path}", headers={**HTML, "Host": f"{host}:{site.port}"})


def test_without_a_database_the_web_server_starts_and_says_that_it_is_alive(
    site_without_database: Site,
) -> None:
    assert _get(site_without_database, "", "/healthz").status_code == 200


def test_without_a_database_it_says_that_it_is_not_ready(site_without_database: Site) -> None:
    answer = _get(site_without_database, "", "/readyz")
    assert answer.status_code == 503
    assert answer.json()["database"] is False


def test_without_a_database_a_person_reads_a_sentence_and_no_stack_trace(site_without_database: Site) -> None:
    answer = _get(site_without_database, "acme")
    assert answer.status_code == 503
    assert "cannot be reached right now" in answer.text
    assert "Traceback" not in answer.text
    assert int(answer.headers["Retry-After"]) > 0


def test_without_redis_pages_still_come_or_say_so_and_come_back_by_themselves(
    workspace: Workspace, tmp_path: Path
) -> None:
    server = Redis(make_home(Path(os.environ[HOME_VARIABLE])), durable=False, folder=f"redis-{free_port()}")
    server.start()
    try:
        with running_site(tmp_path, REDIS_URL=server.url, CELERY_BROKER_URL=server.url) as site:
            assert _get(site, "", "/readyz").status_code == 200
            server.stop()
            assert _get(site, "", "/readyz").json() == {
                "status": "unavailable",
                "database": True,
                "redis": False,
            }
            assert (
                _get(site, workspace.slug).status_code < 500
                or "cannot be reached" in _get(site, workspace.slug).text
            )
            server.start()
            assert _get(site, "", "/readyz").status_code == 200
    finally:
        server.stop()


def test_without_redis_calls_of_the_api_are_counted_all_the_same(
    workspace: Workspace, tmp_path: Path
) -> None:
    server = Redis(make_home(Path(os.environ[HOME_VARIABLE])), durable=False, folder=f"redis-{free_port()}")
    server.start()
    with in_tenant(workspace):
        key = make_key(name="CI", scopes=[Scope.ADMIN], created_by=None, hourly_limit=10)
    try:
        with running_site(tmp_path, REDIS_URL=server.url, CELERY_BROKER_URL=server.url) as site:
            server.stop()
            headers = {"Host": f"{workspace.slug}.localhost", "Authorization": f"Bearer {key.secret}"}
            url = f"http://127.0.0.1:{site.port}/api/v1/agents/"
            answers = [httpx.get(url, headers=headers).status_code for _ in range(11)]
    finally:
        server.stop()
    assert answers == [200] * 10 + [429]


def test_a_command_without_a_database_says_why_in_its_last_line() -> None:
    dead = _at(os.environ["DATABASE_URL"], free_port())
    result = subprocess.run(
        [sys.executable, "manage.py", "prepare", "--no-demo"],
        env={**os.environ, "DATABASE_URL": dead},
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode != 0
    assert "DATABASE_URL" in result.stderr.strip().splitlines()[-1]
    assert "Traceback" not in result.stderr
