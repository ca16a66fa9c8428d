"""Every reader and verifier with inputs in bulk: each is read or refused, none breaks it, hangs it or is taken.

NETVEXA_FUZZ is how many inputs each gets: a few in the suite, 100,000 in `make security`. The input that broke one is
made again from its name and number, such as `READERS["pdf"]().make(dice("pdf", 4711))`.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from netvexa.lib.errors import AppError
from tests.security.mutation import mutated_token
from tests.security.readers import READERS, VERIFIERS, Verifier
from tests.security.test_fuzz import INPUTS, refused

SLOWEST = 20  # seconds for one input, on a machine that does other things as well


def dice(name: str, number: int) -> random.Random:
    return random.Random(f"{name} {number}")


def broken_by(name: str, data: bytes | str, read: Callable[[], object]) -> object:
    """What reading gave, None where it was refused. Raises AssertionError for anything else."""
    begun = time.monotonic()
    try:
        return read()
    except AppError as error:
        refused(error)
        return None
    except Exception as error:
        raise AssertionError(f"{name} broke on {data!r}") from error
    finally:
        assert time.monotonic() - begun < SLOWEST, f"{name} took too long for {data!r}"


def read_in_bulk(name: str, count: int, note: Callable[[int], None] = lambda _: None) -> int:
    """How many of the inputs were read; the others were refused."""
    reader, read = READERS[name](), 0
    for number in range(count):
        note(number)
        data = reader.make(dice(name, number))
        read += broken_by(name, data, lambda data=data: reader.read(data)) is not None  # type: ignore[misc]
    return read


@pytest.mark.filterwarnings("ignore")  # libraries warn of what is odd in a file, and read on
@pytest.mark.parametrize("name", sorted(READERS))
def test_what_is_nearly_right_is_read_or_refused(name: str, tmp_path: Path) -> None:
    """The number stands in a file meanwhile: a reader in C that crashes takes this process with it."""
    here = (tmp_path / "number").open("w")

    def note(number: int) -> None:
        here.seek(0)
        here.write(f"{number:9}")
        here.flush()

    with here:
        read = read_in_bulk(name, INPUTS, note)

    assert (
        read > INPUTS // 50
    )  # inputs that are all refused at the door prove nothing about what is behind it


def verify_in_bulk(name: str, verifier: Verifier, count: int) -> None:
    held = [verifier.read(seed) for seed in verifier.seeds] if verifier.holds else []
    for number in range(count):
        text = mutated_token(verifier.seeds, dice(name, number))
        if text in verifier.seeds:
            continue
        found = broken_by(name, text, lambda text=text: verifier.read(text))  # type: ignore[misc]
        assert found is None or found in held, f"{name} took {text!r} for {found!r}"


@pytest.mark.parametrize("name", sorted(VERIFIERS))
def test_nothing_changed_is_taken_for_what_was_signed(name: str) -> None:
    verify_in_bulk(name, VERIFIERS[name](), INPUTS)


def test_a_verifier_that_does_not_look_is_found() -> None:
    blind = Verifier(("good",), lambda text: text)

    with pytest.raises(AssertionError, match="took"):
        verify_in_bulk("blind", blind, 5)


def test_a_reader_that_breaks_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("knowledge.parsing.csv.decode", lambda *_, **__: 1 // 0)

    with pytest.raises(AssertionError, match="csv broke on"):
        read_in_bulk("csv", 1)
