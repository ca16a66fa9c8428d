"""What `make security` makes of pip-audit's reports: a weakness fails, and what was not looked up is no success."""

from __future__ import annotations

import importlib.util
import sys
from typing import Any

import pytest

from tests.security.rules import ROOT

_spec = importlib.util.spec_from_file_location("audit_dependencies", ROOT / "deploy/audit_dependencies.py")
assert _spec is not None
assert _spec.loader is not None
audit: Any = importlib.util.module_from_spec(_spec)
sys.modules[_spec.name] = audit  # dataclasses look their module up
_spec.loader.exec_module(audit)

WEAK = {"name": "a", "version": "1", "vulns": [{"id": "PYSEC-1", "fix_versions": ["2"]}]}
SOUND = {"name": "b", "version": "1", "vulns": []}
UNKNOWN = {"name": "c", "skip_reason": "Dependency not found on PyPI"}


def test_a_known_weakness_is_found() -> None:
    verdict = audit.judge({"dependencies": [WEAK, SOUND, UNKNOWN]})

    assert (verdict.looked_up, verdict.skipped) == (2, 1)
    assert "PYSEC-1" in verdict.found[0]


def test_one_with_a_reason_is_listed_and_does_not_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(audit.ACCEPTED, "PYSEC-1", "We do not use that part.")

    verdict = audit.judge({"dependencies": [WEAK]})

    assert verdict.found == []
    assert "We do not use that part." in verdict.sentences()[1]


def test_where_nothing_was_looked_up_it_says_so() -> None:
    assert "NOTHING WAS LOOKED UP" in audit.judge({"dependencies": [UNKNOWN]}).sentences()[0]
