"""What a person wants to know once everything runs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TypedDict

from netvexa.embedded.errors import StartError


class Address(TypedDict):
    """A page to open, and what it is."""

    name: str
    url: str


class Summary(TypedDict):
    """What `manage.py prepare --summary FILE` leaves, in JSON."""

    addresses: list[Address]
    login: dict[str, str]  # what to type where: {"e-mail": ..., "password": ...}
    defaults: list[str]  # a sentence for each part that runs on a default


def read(file: Path) -> Summary:
    """The summary that the preparation left. Raises StartError where there is none."""
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
        return {"addresses": found["addresses"], "login": found["login"], "defaults": found["defaults"]}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise StartError(f"The preparation left no summary in {file}.") from error


def lines(summary: Summary, *, seconds: float) -> list[str]:
    """The summary as it stands on the terminal."""
    width = max((len(address["name"]) for address in summary["addresses"]), default=0)
    text = ["", f"NETVEXA is ready after {seconds:.0f} s."]
    text += [f"  {address['name']:<{width}}  {address['url']}" for address in summary["addresses"]]
    if summary["login"]:
        text += ["Log in with", *(f"  {field}: {value}" for field, value in summary["login"].items())]
    if summary["defaults"]:
        text += ["Running on defaults", *(f"  {sentence}" for sentence in summary["defaults"])]
    return [*text, "Ctrl-C stops everything; the data stays.", ""]
