"""Setting up on a machine that lacks something ends with one clear sentence."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from netvexa.embedded.home import PROJECT

SCRIPTS = {
    "an old Python": '#!/bin/sh\n[ "$1" = --version ] && echo "Python 3.9.2" && exit 0\nexit 1\n',
    "no ensurepip": f'#!/bin/sh\ncase "$*" in *ensurepip*) exit 1 ;; esac\nexec "{sys.executable}" "$@"\n',
}


def _set_up(folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    given = {"PATH": os.defpath, "HOME": str(folder), "VENV": str(folder / "venv"), **environment}
    command = ["sh", "deploy/bootstrap.sh", "run"]
    return subprocess.run(command, cwd=PROJECT, env=given, capture_output=True, text=True, check=False)


def _program(folder: Path, name: str, content: str) -> Path:
    path = folder / name
    path.write_text(content, encoding="utf-8")
    path.chmod(0o755)
    return path


def test_an_old_python_is_named_with_its_version(tmp_path: Path) -> None:
    for name in ("python3", "python3.11", "python3.12", "python3.13", "python"):
        _program(tmp_path, name, SCRIPTS["an old Python"])
    result = _set_up(tmp_path, PATH=f"{tmp_path}:{os.defpath}")
    assert result.returncode == 1
    assert "NETVEXA needs Python 3.11 or newer, found: Python 3.9.2." in result.stderr


def test_a_wrong_choice_of_python_is_named(tmp_path: Path) -> None:
    result = _set_up(tmp_path, PYTHON="/nowhere/python")
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr == "Set-up stopped: PYTHON=/nowhere/python is not a Python 3.11 or newer.\n"


def test_a_python_without_ensurepip_is_explained(tmp_path: Path) -> None:
    python = _program(tmp_path, "python", SCRIPTS["no ensurepip"])
    result = _set_up(tmp_path, PYTHON=str(python))
    assert result.returncode == 1
    assert "lacks the module venv or ensurepip" in result.stderr


def test_without_a_network_it_says_so(tmp_path: Path) -> None:
    nowhere = "http://127.0.0.1:1/simple"
    result = _set_up(
        tmp_path,
        PYTHON=sys.executable,
        PIP_INDEX_URL=nowhere,
        PIP_RETRIES="0",
        PIP_CONFIG_FILE=os.devnull,
    )
    assert result.returncode == 1
    assert "the package index cannot be reached" in result.stderr
    assert not (tmp_path / "venv" / ".done-run").exists()
