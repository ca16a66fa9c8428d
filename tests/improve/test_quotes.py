"""Citations open at the quoted words, and a PDF at its page, in the API and the dashboard as in the widget."""

from __future__ import annotations

import pytest

from netvexa.lib.quotes import quoted_url

PAGE = "https://shop.example/help"
LONG = "one two three four five six seven eight nine ten eleven"


@pytest.mark.parametrize(
    ("url", "snippet", "page", "opened"),
    [
        (PAGE, "It is free", "", f"{PAGE}#:~:text=It%20is%20free"),
        (PAGE, "Set user_name in C# first", "", f"{PAGE}#:~:text=Set%20user_name%20in%20C%23%20first"),
        (PAGE, "## The _plan_, __Pro__.", "", f"{PAGE}#:~:text=The%20plan%20%2C%20Pro%20."),
        (
            PAGE,
            LONG,
            "",
            f"{PAGE}#:~:text=one%20two%20three%20four%20five,seven%20eight%20nine%20ten%20eleven",
        ),
        (f"{PAGE}#returns", "day-long, yes", "", f"{PAGE}#returns:~:text=day%2Dlong%2C%20yes"),
        (f"{PAGE}/a.pdf", "It is free", "12", f"{PAGE}/a.pdf#page=12"),
        (f"{PAGE}/a.pdf", "It is free", "iv", f"{PAGE}/a.pdf"),
        ("", "It is free", "", ""),
        ("javascript:alert(1)", "It is free", "", ""),
    ],
)
def test_an_address_opens_at_its_words(url: str, snippet: str, page: str, opened: str) -> None:
    assert quoted_url(url, snippet, page=page) == opened
