"""The environment: typed, loud and documented."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from netvexa.config import PROJECT, Config

DOCUMENTED = set(re.findall(r"`([A-Z][A-Z0-9_]{3,})`", (PROJECT / "docs/configuration.md").read_text()))


@pytest.mark.parametrize("field", Config.model_fields)
def test_every_variable_is_documented(field: str) -> None:
    assert field.upper() in DOCUMENTED


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("DATABASE_URL", "mysql://localhost/x", "must start with postgres:// or postgresql://"),
        ("REDIS_URL", "http://localhost", "must start with redis://"),
        ("NETVEXA_MAX_UPLOAD_MB", "many", "should be a valid integer"),
        ("NETVEXA_MAX_UPLOAD_MB", "0", "should be greater than or equal to 1"),
        ("NETVEXA_ENVIRONMENT", "staging", "should be 'development', 'production' or 'test'"),
        ("MODEL_PRESET", "newest", "must be current, original or the path of a .toml file"),
        ("RERANK_MODEL", "nowhere", "must be the folder of a cross-encoder"),
        ("DATABASE_URL", "", "is not set"),
    ],
)
def test_a_wrong_value_stops_the_start_with_its_name_and_what_it_takes(
    name: str, value: str, sentence: str
) -> None:
    result = _start(**{name: value})
    assert result.returncode != 0
    assert name in result.stderr
    assert sentence in result.stderr
    assert "Traceback" not in result.stderr


def test_production_insists_on_a_secret_key(tmp_path: Path) -> None:
    result = _start(NETVEXA_ENVIRONMENT="production", NETVEXA_SECRET_KEY="", NETVEXA_VAR=str(tmp_path))
    assert result.returncode != 0
    assert "NETVEXA_SECRET_KEY" in result.stderr


def test_the_secret_key_that_is_made_is_kept_and_private(tmp_path: Path) -> None:
    config = Config(netvexa_var=tmp_path, netvexa_secret_key="")
    assert config.secret_key == config.secret_key
    assert (tmp_path / "secret_key").stat().st_mode & 0o077 == 0


def _start(**variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", "import netvexa.settings"],
        env={**os.environ, **variables},
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=False,
    )
