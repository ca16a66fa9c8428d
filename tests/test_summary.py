"""What the preparation leaves for the supervisor: complete, and for nobody else to read."""

from __future__ import annotations

from pathlib import Path

import pytest

from netvexa.embedded.errors import StartError
from netvexa.management.commands.prepare import _leave
from netvexa.supervisor import summary


def test_the_summary_tells_how_to_log_in_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    file = tmp_path / "summary.json"
    file.write_text("of an earlier start", encoding="utf-8")
    file.chmod(0o644)
    _leave(file)
    assert file.stat().st_mode & 0o777 == 0o600
    assert summary.read(file)["login"]["password"]


@pytest.mark.parametrize("left", [None, "", "{}", "[]"])
def test_a_summary_that_is_not_there_is_said_to_be_missing(tmp_path: Path, left: str | None) -> None:
    file = tmp_path / "summary.json"
    if left is not None:
        file.write_text(left, encoding="utf-8")
    with pytest.raises(StartError, match="left no summary"):
        summary.read(file)
