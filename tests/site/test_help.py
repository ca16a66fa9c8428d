"""The help centre on the site: every page opens, and every link on it leads somewhere."""

from __future__ import annotations

import re

import pytest
from django.conf import settings
from django.test import Client

from netvexa import help_centre

pytestmark = pytest.mark.django_db
SLUGS = sorted(path.stem for path in help_centre.FOLDER.glob("*.md") if path.stem != "index")
LINK = re.compile(r'href="(/help/[^"]*)"')
ID = re.compile(r'\bid="([^"]+)"')


@pytest.fixture
def visitor() -> Client:
    return Client(headers={"host": settings.ROOT_HOST})


def test_the_index_lists_every_page(visitor: Client) -> None:
    shown = visitor.get("/help/").content.decode()

    assert [slug for slug in SLUGS if f'href="/help/{slug}/"' not in shown] == []


@pytest.mark.parametrize("slug", SLUGS)
def test_a_page_opens_with_its_title_and_its_links_lead_to_pages_and_headings(
    slug: str, visitor: Client
) -> None:
    response = visitor.get(f"/help/{slug}/")
    page = help_centre.page_of(slug)

    assert response.status_code == 200
    assert response.content.decode().count("<h1") == 1
    assert page.summary
    for link in LINK.findall(page.html):
        target, _, anchor = link.removeprefix("/help/").partition("#")
        assert not target or target.strip("/") in SLUGS, link
        if anchor:
            linked = help_centre.page_of(target.strip("/") or slug)
            assert anchor in ID.findall(linked.html), link


@pytest.mark.parametrize("slug", SLUGS)
def test_ids_on_a_page_are_unique_and_the_contents_lead_to_them(slug: str) -> None:
    page = help_centre.page_of(slug)
    ids = ID.findall(page.html)

    assert len(set(ids)) == len(ids)
    assert {heading.id for heading in page.headings} <= set(ids)


def test_nothing_written_in_a_page_is_taken_as_markup() -> None:
    assert "<script" not in "".join(help_centre.page_of(slug).html for slug in SLUGS)


@pytest.mark.parametrize("slug", ["nothing", "index", "questions", "README"])
def test_a_page_that_is_not_there_is_not_found(slug: str, visitor: Client) -> None:
    assert visitor.get(f"/help/{slug}/").status_code == 404


def test_a_search_finds_the_page_with_the_words_in_its_title_first() -> None:
    assert help_centre.search("allowed origins")[0].slug == "allowed-origins"


def test_a_search_shows_what_it_found(visitor: Client) -> None:
    shown = visitor.get("/help/", {"q": "wordpress"}).content.decode()

    assert "/help/install-on-wordpress/" in shown


def test_a_search_that_finds_nothing_says_so(visitor: Client) -> None:
    shown = visitor.get("/help/", {"q": "<b>zebra</b> quagga"}).content.decode()

    assert "No help page has all these words" in shown
    assert "<b>zebra</b>" not in shown
