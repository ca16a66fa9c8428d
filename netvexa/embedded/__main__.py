"""`python -m netvexa.embedded exec -- COMMAND ...`: run a command beside throw-away servers.
`python -m netvexa.embedded reset`: drop the kept data."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from netvexa.embedded import stack
from netvexa.embedded.errors import StartError
from netvexa.embedded.home import home_path, passing_var


def execute(command: list[str]) -> int:
    """Run the command with its own, empty servers and return its exit code."""
    with passing_var() as folder:
        given = {**os.environ, "NETVEXA_VAR": str(folder)}
        servers = stack.start(given=given, durable=False, say=_say)
        try:
            return subprocess.run(command, env={**given, **servers.environment}, check=False).returncode
        except KeyboardInterrupt:
            return 130
        finally:
            servers.stop()


def reset() -> int:
    """Delete the var folder's content, and the servers' home where that stands elsewhere."""
    var = stack.var_folder()
    if not var.exists():
        _say(f"There is nothing to drop: {var} does not exist.")
        return 0
    lock = stack.take_lock(var)
    if not _confirmed(var):
        _say("Nothing was dropped. To confirm without a terminal: make reset CONFIRM=yes")
        return 1
    shutil.rmtree(home_path(var), ignore_errors=True)
    for path in var.iterdir():
        shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
    lock.close()
    _say(f"Dropped everything in {var}.")
    return 0


def _confirmed(var: Path) -> bool:
    if os.environ.get("CONFIRM"):
        return os.environ["CONFIRM"] == "yes"
    if not sys.stdin.isatty():
        return False
    answer = input(f"This deletes the database, the uploads and everything else in {var}. Type yes: ")
    return answer.strip() == "yes"


def _say(sentence: str) -> None:
    print(sentence, file=sys.stderr, flush=True)


def main(arguments: list[str]) -> int:
    match arguments:
        case ["exec", "--", *command] if command:
            return execute(command)
        case ["reset"]:
            return reset()
    _say((__doc__ or "").strip())
    return 2


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except StartError as error:
        _say(str(error))
        sys.exit(1)
