"""One embedded PostgreSQL for the whole run, a database and a Redis for each process that runs tests.

The variables are set before Django's settings are read, so that everything a test starts (a worker, a web
server, a subprocess) finds the same servers. Redis is not shared: its publish and subscribe knows no
databases, and a test may want to stop it. Whatever the environment names is left alone.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import django
import psycopg
import pytest
from psycopg import sql

from netvexa.embedded.home import PROJECT, home_for, link_models, make_home, passing_var
from netvexa.embedded.postgres import OWNER, Postgres
from netvexa.embedded.redis import Redis

POSTGRES_VARIABLE = "NETVEXA_TEST_POSTGRES"  # from the process that started it to those that run tests
HOME_VARIABLE = "NETVEXA_TEST_HOME"
SETTINGS = "netvexa.settings"
AFTER_SETTINGS = (  # they import the product's models
    "tests.plugins.people",
    "tests.plugins.processes",
    "tests.plugins.integrators",
    "tests.plugins.payers",
)
KEPT = PROJECT / "var" / "migrated"
SCHEMA_SOURCES = (
    "requirements.txt",
    "netvexa/settings.py",
    "netvexa/embedded/postgres.py",
    "*/models.py",
    "*/models/*.py",
    "*/migrations/*.py",
    "*/djstripe_migrations/*.py",
    "tenants/*.py",
    "tenants/*/*.py",
)
RUNNING = pytest.StashKey[ExitStack]()


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Start what this process is responsible for."""
    running = config.stash[RUNNING] = ExitStack()
    if "django.conf" in sys.modules and _settings_are_read():
        raise pytest.UsageError("Unset DJANGO_SETTINGS_MODULE: the tests start their own servers first.")
    if not hasattr(config, "workerinput"):
        postgres = running.enter_context(_shared_postgres())
        os.environ[POSTGRES_VARIABLE] = postgres.url
        os.environ[HOME_VARIABLE] = str(postgres.home.path)
        if config.getoption("numprocesses", None):
            return  # this process only conducts
    running.enter_context(_own_servers(os.environ.get("PYTEST_XDIST_WORKER", "main")))
    django.setup()
    for plugin in AFTER_SETTINGS:
        config.pluginmanager.import_plugin(plugin)


@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop it again."""
    config.stash[RUNNING].close()


def _settings_are_read() -> bool:
    from django.conf import settings

    return bool(settings.configured)


@contextmanager
def _shared_postgres() -> Iterator[Postgres]:
    with passing_var() as var:
        postgres = Postgres(home_for(var), durable=False)
        try:
            _start_migrated(postgres, var=var)
            yield postgres
        finally:
            postgres.stop()


def _start_migrated(postgres: Postgres, *, var: Path) -> None:
    """Migrating takes many seconds, so the whole data folder is kept for the next run."""
    kept = KEPT / _digest_of_schema()
    restored = kept.exists() and _restore(kept, postgres)
    postgres.start()
    if restored:
        return
    _migrate(postgres, var=var)
    postgres.stop()
    _keep(postgres.folder, kept)
    postgres.start()


def _restore(kept: Path, postgres: Postgres) -> bool:
    """Whether it worked; another run may be dropping what this one copies."""
    try:
        shutil.copytree(kept, postgres.folder, dirs_exist_ok=True)
    except OSError:
        shutil.rmtree(postgres.folder)
        postgres.folder.mkdir(mode=0o700)
        return False
    finally:
        postgres.home.own_tree(postgres.folder)
    return True


def _keep(folder: Path, kept: Path) -> None:
    shutil.rmtree(KEPT, ignore_errors=True)  # what older migrations made
    unfinished = KEPT.parent / f"{KEPT.name}.{os.getpid()}"
    shutil.copytree(folder, unfinished)
    KEPT.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        unfinished.rename(kept)
    except OSError:  # another run was first
        shutil.rmtree(unfinished)


def _digest_of_schema() -> str:
    """Changes with everything that decides what a migrated database looks like."""
    digest = hashlib.sha256()
    for pattern in SCHEMA_SOURCES:
        for path in sorted(PROJECT.glob(pattern)):
            digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def _migrate(postgres: Postgres, *, var: Path) -> None:
    """Bring the database that all others are copied from up to date."""
    environment = {
        **os.environ,
        **_variables(database_url=postgres.url, redis_url="redis://127.0.0.1:1", var=var),
    }
    command = [sys.executable, str(PROJECT / "manage.py"), "migrate_schemas", "--shared", "--verbosity", "0"]
    result = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if result.returncode:
        raise pytest.UsageError(f"The test database could not be migrated:\n{result.stdout}{result.stderr}")


@contextmanager
def _own_servers(name: str) -> Iterator[None]:
    home = make_home(Path(os.environ[HOME_VARIABLE]))
    server = Redis(home, durable=False, folder=f"redis-{name}")
    var = home.path.with_name(f"var-{name}")
    (var / "static").mkdir(parents=True)  # empty: tests serve static files from where they stand
    link_models(var)
    try:
        server.start()
        url = _copy_database(os.environ[POSTGRES_VARIABLE], name=name)
        os.environ.update(_variables(database_url=url, redis_url=server.url, var=var))
        yield
    finally:
        server.stop()
        shutil.rmtree(var, ignore_errors=True)


def _copy_database(template_url: str, *, name: str) -> str:
    """A database of this process' own, as the template was after its migrations; returns its address."""
    base, _, template = template_url.rpartition("/")
    own = f"{template}_{name}"
    with psycopg.connect(f"{base}/postgres", autocommit=True) as maintenance:
        maintenance.execute(
            sql.SQL("CREATE DATABASE {} OWNER {} TEMPLATE {}").format(
                *map(sql.Identifier, (own, OWNER, template))
            )
        )
    return f"{base}/{own}"


def _variables(*, database_url: str, redis_url: str, var: Path) -> dict[str, str]:
    return {
        "DATABASE_URL": database_url,
        "REDIS_URL": redis_url,
        "CELERY_BROKER_URL": redis_url,
        "NETVEXA_VAR": str(var),
        "NETVEXA_MODELS": str(PROJECT / "var" / "models"),  # exported once, for all test runs
        "NETVEXA_ENVIRONMENT": "test",
        "NETVEXA_API_CALLS_PER_ADDRESS": "1000000",  # all tests come from one address
        "DJANGO_SETTINGS_MODULE": SETTINGS,
    }
