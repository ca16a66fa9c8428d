"""Known weaknesses of what is installed, as PyPI tells them; for `make security`.

pip-audit asks PyPI about each pinned package. Behind a mirror that has no such data it finds nothing to say and
reports success; so what it could not look up is counted here. A finding that is right to live with stands in ACCEPTED
with its reason; any other fails. Where nothing at all could be looked up, that is said, and does not fail.
"""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass, field
from importlib.metadata import distributions
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

ACCEPTED: dict[str, str] = {}  # id of the advisory → why it cannot be used against us


@dataclass
class Verdict:
    """What a report comes to."""

    looked_up: int = 0
    skipped: int = 0
    found: list[str] = field(default_factory=list)
    accepted: list[str] = field(default_factory=list)

    def sentences(self) -> list[str]:
        if not self.looked_up:
            return [
                "The registry has no data about weaknesses: NOTHING WAS LOOKED UP. Run this where PyPI can be reached."
            ]
        said = [f"{self.looked_up} packages looked up, {self.skipped} not known there."]
        return [*said, *(f"accepted: {one}" for one in self.accepted), *self.found]


def judge(report: dict[str, Any]) -> Verdict:
    """Read a report of pip-audit in JSON."""
    verdict = Verdict()
    for package in report["dependencies"]:
        if "skip_reason" in package:
            verdict.skipped += 1
            continue
        verdict.looked_up += 1
        for one in package["vulns"]:
            mended = ", ".join(one["fix_versions"]) or "no version"
            sentence = f"{package['name']} {package['version']}: {one['id']}, mended in {mended}"
            if (reason := ACCEPTED.get(one["id"])) is not None:
                verdict.accepted.append(f"{sentence}. {reason}")
            else:
                verdict.found.append(sentence)
    return verdict


def report_of_installed() -> dict[str, Any] | None:
    """What pip-audit says of the packages that are installed here; None where it cannot ask."""
    pins = sorted(
        {f"{one.name}=={one.version.partition('+')[0]}" for one in distributions() if one.name != "netvexa"}
    )
    with TemporaryDirectory() as folder:
        listed = Path(folder) / "installed.txt"
        listed.write_text("\n".join(pins))
        given = ["-r", str(listed), "--no-deps", "--disable-pip", "--progress-spinner", "off", "-f", "json"]
        done = subprocess.run(
            [sys.executable, "-m", "pip_audit", *given],
            capture_output=True,
            text=True,
            timeout=900,
            check=False,
        )
    try:
        found: dict[str, Any] = json.loads(done.stdout)
    except ValueError:
        print(done.stderr.strip()[-400:], file=sys.stderr)
        return None
    return found


def main() -> int:
    report = report_of_installed()
    verdict = judge(report) if report is not None else Verdict()
    print("\n".join(verdict.sentences()))
    return 1 if verdict.found else 0


if __name__ == "__main__":
    sys.exit(main())
