"""The evaluation data that stands beside the project, if it does."""

from __future__ import annotations

import gzip
import json
import os
import sys
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).resolve().parent.parent


def shared(name: str) -> Any:
    """The content of shared/data/NAME; ends the program with a sentence where it is not there."""
    path = data_folder() / name
    if not path.exists():
        sys.exit(f"{path} is not there: set NETVEXA_SHARED to the folder that holds data/.")
    with gzip.open(path, "rt", encoding="utf-8") as file:
        return json.load(file)


def data_folder() -> Path:
    return Path(os.environ.get("NETVEXA_SHARED", PROJECT.parent / "shared")) / "data"
