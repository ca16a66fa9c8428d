"""Tags that an answer speaks of are words; tags that would do something are not shown."""

from __future__ import annotations

import pytest

from chat.links import Links


def _shown(text: str) -> str:
    links = Links(frozenset({"acme.example"}))
    return "".join(links.feed(character) for character in text) + links.rest()


@pytest.mark.parametrize("tag", ["</body>", "<head>", "<br/>", "<H2>", "</div>"])
def test_a_tag_without_attributes_that_is_spoken_of_stays(tag: str) -> None:
    sentence = f"Paste it just before {tag}. [1]"
    assert _shown(sentence) == sentence


@pytest.mark.parametrize("name", ["agent_id", "YOUR-KEY", "name", "user-2"])
def test_a_placeholder_stays(name: str) -> None:
    sentence = f"Open /ws/v1/chat/<{name}>/ to begin. [1]"
    assert _shown(sentence) == sentence


@pytest.mark.parametrize(
    "tag",
    [
        "<script>",
        "<agent_id onclick=alert(1)>",
        "</script>",
        "<style>",
        "<iframe>",
        "<svg>",
        "<img>",
        "<form>",
        "<base>",
        "<p onclick=alert(1)>",
        "<body background='//evil.example'>",
        "<div/onload=x>",
    ],
)
def test_a_tag_that_would_do_something_goes(tag: str) -> None:
    assert _shown(f"Paste {tag} here") == "Paste  here"
