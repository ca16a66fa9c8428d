"""Behind a real pgbouncer in transaction mode, with one connection to the server for everybody."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from netvexa.embedded.ports import free_port
from tenants.models import Workspace
from tests.plugins.processes import PROJECT
from tests.tenancy.canaries import put_canary

pytestmark = pytest.mark.django_db(transaction=True)
CONFIGURATION = """
[databases]
{database} = host={host} port={port} user={user} password={password}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {own_port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = 1
"""


def program() -> str:
    found = shutil.which("pgbouncer", path=f"{os.environ['PATH']}:/usr/sbin")
    if found is None:
        pytest.skip("pgbouncer is not installed (Debian: apt-get install pgbouncer)")
    return found


@pytest.fixture
def pooled_url(tmp_path: Path) -> Iterator[str]:
    """The test database's address through the pooler."""
    parts, port = urlsplit(os.environ["DATABASE_URL"]), free_port()
    configuration = tmp_path / "pgbouncer.ini"
    configuration.touch(mode=0o600)
    configuration.write_text(
        CONFIGURATION.format(
            database=parts.path[1:],
            host=parts.hostname,
            port=parts.port,
            user=parts.username,
            password=parts.password,
            own_port=port,
        )
    )
    as_somebody = ["-u", "nobody"] if os.geteuid() == 0 else []  # it refuses to run as root
    with (tmp_path / "pgbouncer.log").open("wb") as log:
        process = subprocess.Popen(
            [program(), *as_somebody, str(configuration)], stdout=log, stderr=log, stdin=subprocess.DEVNULL
        )
    try:
        wait_for(port, process, tmp_path / "pgbouncer.log")
        yield f"postgresql://{parts.username}@127.0.0.1:{port}{parts.path}"
    finally:
        process.terminate()
        process.wait(10)


def wait_for(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(100):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        if process.poll() is not None:
            break
        time.sleep(0.1)
    pytest.fail(f"pgbouncer did not start:\n{log.read_text()}")


def read_at_once(url: str, *, pooling: str) -> dict[str, int]:
    """Two clients at once in their own process, each in a workspace of its own."""
    result = subprocess.run(
        [sys.executable, "-m", "tests.tenancy.through_a_pooler", "acme", "rival"],
        cwd=PROJECT,
        env={**os.environ, "DATABASE_URL": url, "DATABASE_POOLING": pooling},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    answer: dict[str, int] = json.loads(result.stdout.splitlines()[-1])
    return answer


@pytest.fixture
def two(workspace: Workspace, other_workspace: Workspace) -> None:
    put_canary(workspace)
    put_canary(other_workspace)


def test_with_pooling_by_transaction_every_read_is_right(two: None, pooled_url: str) -> None:
    assert read_at_once(pooled_url, pooling="transaction") == {"reads": 1000, "wrong": 0, "errors": 0}


def test_with_settings_of_the_session_many_would_be_wrong(two: None, pooled_url: str) -> None:
    """What DATABASE_POOLING=transaction is for."""
    found = read_at_once(pooled_url, pooling="session")

    assert found["wrong"] > 100


def test_without_a_pooler_the_same_mode_is_right_as_well(two: None) -> None:
    found = read_at_once(os.environ["DATABASE_URL"], pooling="transaction")

    assert found == {"reads": 1000, "wrong": 0, "errors": 0}
