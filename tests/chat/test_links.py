"""An answer links to known hosts only, however an address is dressed up, and loses no words over it."""

from __future__ import annotations

import pytest

from chat.links import Links


def _shown(text: str, *, step: int) -> str:
    links = Links(frozenset({"acme.example"}))
    pieces = (text[at : at + step] for at in range(0, len(text), step))
    return "".join(map(links.feed, pieces)) + links.rest()


@pytest.mark.parametrize("step", [1, 7, 1000])
@pytest.mark.parametrize(
    "text",
    [
        r"[x](https://evil.test\.acme.example/a)",  # a browser goes to evil.test
        r"see https://evil.test\.acme.example/a",
        "_https://evil.test/x_",
        "*https://evil.test/x*",
        "[https://evil.test/](https://acme.example/)",
        "https://acme.example/`https://evil.test/x",
        "https://acme.example(.evil.test/?q=1",
        "https://acme.example).evil.test/?q=1",
        "[a [b] c](//evil.test/x)",
        r"[a [b] c](/\evil.test/x)",
        "![a [b]](//evil.test/x.png)",
        "![a][r]\n\n[r]: //evil.test/x.png",
        '<img alt="<" src="//evil.test/x.png">',
        "<img src=//evil.test/x.png ",
        "file://evil.test/x",
    ],
)
def test_no_address_of_another_host_is_left(text: str, step: int) -> None:
    assert "evil.test" not in _shown(text, step=step)


@pytest.mark.parametrize(
    "address", ["https://exa℀mple.test/x", "https://[::1", "https://evil.test／.acme.example/"]
)
def test_what_is_no_address_at_all_is_taken_out_and_the_answer_goes_on(address: str) -> None:
    shown = _shown(f"See [here]({address}) or {address} for more.", step=1000)
    assert shown.startswith("See here or")
    assert shown.endswith("for more.")


@pytest.mark.parametrize("step", [1, 7, 1000])
@pytest.mark.parametrize(
    "text",
    [
        "As told in\n[1]: the price is 5 euros.\nAnd more.",
        "(see https://acme.example/a_(b)).",
        "**https://shop.acme.example/a**, [more](https://acme.example/?a=1#b) and <https://acme.example>.",
        "[https://acme.example/a](https://acme.example/a)",
        "Either//or, s3://bucket.x/y and 1//2.",
    ],
)
def test_what_is_allowed_stays_as_it_is(text: str, step: int) -> None:
    assert _shown(text, step=step) == text
