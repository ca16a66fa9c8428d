"""Start one program in a session of its own, as a given user, that stops when its parent dies.

Run as a plain script with `python -I -S tether.py UID GID PARENT SIGNAL -- PROGRAM ...`:
it imports next to nothing and then becomes the program. A wrapper and not subprocess' preexec_fn, because
that one is unsafe beside threads.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import sys

PR_SET_PDEATHSIG = 1


def become(*, uid: int, gid: int) -> None:
    """Give up root for good, supplementary groups included."""
    if uid != os.geteuid():
        os.setgroups([])
        os.setgid(gid)
        os.setuid(uid)


def follow_parent(parent: int, *, signal_number: int) -> None:
    """Ask Linux to send the signal when the thread that started us ends; other systems cannot.

    Must come after the change of user, which clears the request.
    """
    with contextlib.suppress(AttributeError, OSError):
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal_number)
    if os.getppid() != parent:
        sys.exit("its parent ended before it started")


def main(arguments: list[str]) -> None:
    uid, gid, parent, signal_number = (int(argument) for argument in arguments[:4])
    program = arguments[5:]
    if os.getpid() != os.getsid(0):
        os.setsid()
    become(uid=uid, gid=gid)
    follow_parent(parent, signal_number=signal_number)
    os.execvp(program[0], program)  # noqa: S606  the program is ours, and a shell is what we avoid


if __name__ == "__main__":
    main(sys.argv[1:])
