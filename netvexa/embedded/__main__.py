"""`python -m netvexa.embedded exec -- COMMAND ...`: run a command beside empty throw-away servers.
`python -m netvexa.embedded exec --prepared -- COMMAND ...`: the same after migrations, without the demo.
`python -m netvexa.embedded reset`: drop the kept data."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from netvexa.embedded import stack
from netvexa.embedded.errors import StartError
from netvexa.embedded.home import PROJECT, home_path, link_models, passing_var, remove_home

PREPARE = [sys.executable, str(PROJECT / "manage.py"), "prepare", "--no-demo"]


def execute(*commands: list[str]) -> int:
    """Run the commands with servers of their own, up to the first that fails; return the last exit code."""
    with passing_var() as folder:
        link_models(folder)
        given = {**os.environ, "NETVEXA_VAR": str(folder)}
        servers = stack.start(given=given, durable=False, say=_say)
        try:
            for command in commands:
                code = subprocess.run(command, env={**given, **servers.environment}, check=False).returncode
                if code:
                    return code
        except KeyboardInterrupt:
            return 130
        finally:
            servers.stop()
    return 0


def reset() -> int:
    """Delete the var folder's content, and the servers' home where that stands elsewhere."""
    var = stack.var_folder()
    if not var.exists():
        _say(f"There is nothing to drop: {var} does not exist.")
        return 0
    lock, home = stack.take_lock(var), home_path(var)
    if not _confirmed(var):
        _say("Nothing was dropped. To confirm without a terminal: make reset CONFIRM=yes")
        return 1
    remove_home(var)
    for path in var.iterdir():
        shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
    lock.close()
    _say(f"Dropped everything in {var} and {home}.")
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
        case ["exec", "--prepared", "--", *command] if command:
            return execute(PREPARE, command)
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
