"""A link to what is gone is found once that is sure, and no fault of a server is taken for it."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.utils import timezone
from fpdf import FPDF
from pytest_django import Settings

from agents.models import Agent
from knowledge import external_links, ingest, radar, robots
from knowledge.documents import add_file, add_site, add_text, add_url, delete_source, update_file
from knowledge.fetching import status_of
from knowledge.models import Document, ExternalLink, Finding, Source, SourceKind, Version
from knowledge.parsing.sandbox import parse_apart
from knowledge.scope import Scope
from knowledge.sync import advance
from knowledge.tasks import check_links, ingest_document, sync_source
from tenants.context import current_workspace
from tests.knowledge.conftest import WebServer
from tests.knowledge.files import linked_word, run, word_of
from tests.knowledge.website import Website, running_website

DAY = timedelta(days=1)


@pytest.fixture
def site(settings: Settings) -> Iterator[Website]:
    settings.FETCH_PRIVATE_HOSTS = ["localhost"]
    cache.clear()
    with running_website() as site:
        site.page("/here", "A page that is there.")
        yield site


@pytest.fixture(autouse=True)
def _no_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    for task in (ingest_document, sync_source, check_links):
        monkeypatch.setattr(task, "delay", lambda *_job, **_how: None)


def read(source: Source) -> Document:
    document = source.documents.get()
    ingest.ingest(document.pk)
    document.refresh_from_db()
    assert (document.status, document.error) == ("ready", "")
    return document


def leading(agent: Agent, *urls: str, title: str = "Lamps") -> Document:
    links = " ".join(f"See [page {number}]({url})." for number, url in enumerate(urls))
    return read(add_text(agent, title=title, text=f"Lamps glow in the dark. {links}"))


def nights(number: int = 1) -> None:
    """Look, and let a day pass, so often; then let the radar look."""
    for _ in range(number):
        external_links.gather()
        assert external_links.check() is False
        for link in ExternalLink.objects.all():
            ExternalLink.objects.filter(pk=link.pk).update(
                due_at=link.due_at - DAY, dead_since=link.dead_since and link.dead_since - DAY
            )
    radar.scan()


def found() -> list[str]:
    return list(Finding.objects.filter(kind="dead_link", state="open").values_list("sentence", flat=True))


def targets(data: bytes, name: str) -> tuple[str, ...]:
    return parse_apart(data, name=name).targets


class TestWhatADocumentLeadsTo:
    def test_of_a_page_is_what_its_own_text_links(self) -> None:
        page = (
            '<body><nav><a href="https://a.example/menu">Menu</a></nav><main>'
            '<h1><a href="https://a.example/top">Lamps</a></h1><p>See <a href="/own#x">ours</a> or '
            '<a rel="nofollow" href="https://b.example/?q=1">theirs</a>.</p>'
            '<table><tr><th>Plan</th><th>Price</th></tr><tr><td>Pro</td><td><a href="https://a.example/pro">$9</a>'
            '</td></tr></table><p hidden><a href="https://a.example/hidden">Hidden</a></p>'
            '<p><a href="#top">Up</a> and some more words, <a href="mailto:a@a.example">write</a>.</p>'
            '<p><a href="https://m.example/1">A</a> <a href="https://m.example/2">B</a> '
            '<a href="https://m.example/3">C</a></p></main>'
            '<footer><a href="https://a.example/imprint">Imprint</a></footer></body>'
        )
        assert targets(page.encode(), "a.html") == (
            "https://a.example/top", "/own#x", "https://b.example/?q=1", "https://a.example/pro",
            "mailto:a@a.example",
        )  # fmt: skip

    def test_of_a_page_with_a_base_no_broken_address_is_the_end(self) -> None:
        links = '<a href="http://[">this</a>, <a href=b>that</a>'
        page = f'<head><base href="https://a.example/docs/"></head><p>See {links}.'
        assert targets(page.encode(), "a.html") == ("https://a.example/docs/b",)

    def test_of_markdown_is_what_it_links(self) -> None:
        text = b"# Lamps\n\nSee [ours](https://a.example/x) and <https://b.example/y>.\n"
        assert targets(text, "a.md") == ("https://a.example/x", "https://b.example/y")

    def test_of_a_word_file_is_what_its_text_and_notes_link(self) -> None:
        field = '<w:r><w:instrText> HYPERLINK "https://a.example/field" \\h</w:instrText></w:r>'
        body = f"<w:p>{run('See')}{field}{run('this')}</w:p>"
        assert targets(word_of(body), "a.docx") == ("https://a.example/field",)
        linked = linked_word("https://a.example/text", in_note="https://a.example/note")
        assert targets(linked, "a.docx") == ("https://a.example/text", "https://a.example/note")

    def test_of_a_pdf_is_what_is_marked_as_a_link(self) -> None:
        made = FPDF()
        made.set_font("Helvetica", size=12)
        for page in (1, 2):
            made.add_page()
            made.cell(text=f"Read page {page} of the manual of our lamps.", link=f"https://a.example/{page}")
        assert targets(bytes(made.output()), "a.pdf") == ("https://a.example/1", "https://a.example/2")


@pytest.mark.django_db(transaction=True)
class TestWhatIsKept:
    def test_only_addresses_on_the_web_each_once(self, agent: Agent) -> None:
        document = leading(
            agent,
            "https://a.example/x#1",
            "https://a.example/x",
            "mailto:a@a.example",
            "/own",
            "https://B.example",
        )
        assert Version.objects.get(serves=document).external_links == [
            "https://a.example/x", "https://b.example/",
        ]  # fmt: skip

    def test_what_a_page_links_is_resolved_and_bounded(self, agent: Agent, site: Website) -> None:
        links = "".join(
            f'<p>Page {number} is <a href="n{number}?a&b=1">this one</a>, and more.</p>'
            for number in range(300)
        )
        site.pages["/shop/"] = f"<html><body><main><p>Lamps glow.</p>{links}</main></body></html>"
        document = read(add_url(agent, url=site.url("/shop/")))
        kept = Version.objects.get(serves=document).external_links
        assert (kept[0], len(kept)) == (site.url("/shop/n0?a&b=1"), 200)

    def test_pages_that_a_sync_looks_at_have_no_other_look(self, agent: Agent, site: Website) -> None:
        site.page("/", "We sell lamps.", "/here", "https://a.example/")
        source = add_site(agent, url=site.url(), scope=Scope(), kind=SourceKind.SITE)
        for _ in range(3):
            advance(source.pk)
            for document in source.documents.unfinished().filter(fetch_due=False):
                ingest.ingest(document.pk)
        start = source.documents.get(key=site.url())
        assert start.live is not None
        assert (start.live.links, start.live.external_links) == ([site.url("/here")], ["https://a.example/"])
        leading(agent, site.url("/here"), "https://c.example/")
        external_links.gather()
        assert sorted(ExternalLink.objects.values_list("url", flat=True)) == [
            "https://a.example/", "https://c.example/",
        ]  # fmt: skip

    def test_a_page_that_says_the_same_keeps_its_newest_links(self, agent: Agent, site: Website) -> None:
        site.pages["/"] = '<p>Lamps glow, see <a href="https://a.example/old">more</a>.</p>'
        source = add_url(agent, url=site.url())
        document = read(source)
        site.pages["/"] = '<p>Lamps glow, see <a href="https://a.example/new">more</a>.</p>'
        Document.objects.update(fetch_due=True)
        Source.objects.update(sync_state="running")
        advance(source.pk)
        document = read(source)
        assert document.versions.get().external_links == ["https://a.example/new"]


@pytest.mark.django_db(transaction=True)
class TestDeadLinks:
    def test_a_page_that_is_gone_twice_is_a_finding_until_it_is_back(
        self, agent: Agent, site: Website
    ) -> None:
        document = leading(agent, site.url("/gone"), site.url("/here"))
        nights(1)
        assert found() == []
        nights(1)
        since = timezone.now() - 2 * DAY
        (sentence,) = found()
        assert site.url("/gone") in sentence
        assert f"since {since:%-d %b %Y}" in sentence
        finding = Finding.objects.get()
        assert (finding.document, finding.detail["link"]) == (document, site.url("/gone"))
        site.page("/gone", "Here again.")
        nights(1)
        assert found() == []
        assert Finding.objects.get().state == "gone"

    def test_it_vanishes_with_the_link(self, agent: Agent, site: Website) -> None:
        document = leading(agent, site.url("/gone"))
        nights(2)
        assert len(found()) == 1
        update_file(document.source, b"Lamps glow in the dark.")
        read(document.source)
        radar.scan()
        assert found() == []
        external_links.gather()
        assert not ExternalLink.objects.exists()

    def test_one_in_the_text_of_all_pages_does_not_fill_the_radar(
        self, agent: Agent, site: Website, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(radar, "MAX_DEAD_LINKS", 2)
        for number in range(3):
            leading(agent, site.url("/gone"), title=f"Lamps {number}")
        nights(2)
        assert len(found()) == 2

    def test_a_source_takes_its_findings_and_links_along(self, agent: Agent, site: Website) -> None:
        document = leading(agent, site.url("/gone"))
        nights(2)
        delete_source(document.source)
        external_links.gather()
        assert not Finding.objects.exists()
        assert not ExternalLink.objects.exists()

    @pytest.mark.parametrize("status", [401, 403, 405, 418, 429, 500, 503])
    def test_what_a_server_says_of_itself_is_no_dead_link(
        self, agent: Agent, site: Website, status: int
    ) -> None:
        site.status["/x"] = status
        leading(agent, site.url("/x"))
        nights(3)
        assert found() == []

    def test_410_and_a_redirect_to_what_is_gone_are(self, agent: Agent, site: Website) -> None:
        site.status["/x"] = 410
        site.moved["/y"] = "/nowhere"
        leading(agent, site.url("/x"), site.url("/y"))
        nights(2)
        assert len(found()) == 2

    def test_a_fault_between_two_misses_begins_anew(self, agent: Agent, site: Website) -> None:
        leading(agent, site.url("/x"))
        nights(1)
        site.status["/x"] = 503
        nights(1)
        del site.status["/x"]
        nights(1)
        assert found() == []
        nights(1)
        assert len(found()) == 1

    def test_a_dead_link_stays_one_while_its_server_is_away(self, agent: Agent, site: Website) -> None:
        leading(agent, site.url("/x"))
        nights(2)
        site.status["/x"] = 503
        nights(2)
        assert len(found()) == 1

    def test_a_page_that_only_a_reader_gets_is_there(self, agent: Agent, site: Website) -> None:
        site.shy.add("/here")
        leading(agent, site.url("/here"))
        nights(2)
        assert found() == []

    @pytest.mark.parametrize(
        ("fault", "dead"),
        [(socket.EAI_NONAME, 1), (socket.EAI_NODATA, 1), (socket.EAI_AGAIN, 0), (socket.EAI_FAIL, 0)],
    )
    def test_a_name_that_is_gone_is_dead_and_one_that_cannot_be_asked_for_is_not(
        self, agent: Agent, monkeypatch: pytest.MonkeyPatch, fault: int, dead: int
    ) -> None:
        leading(agent, "https://gone.example/x")
        ask = socket.getaddrinfo

        def answer(host: Any, *rest: Any, **more: Any) -> Any:
            if host in {"gone.example", b"gone.example"}:
                raise socket.gaierror(fault, "no")
            return ask(host, *rest, **more)

        monkeypatch.setattr(socket, "getaddrinfo", answer)
        nights(2)
        assert len(found()) == dead

    @pytest.mark.parametrize("host", ["127.0.0.1", "[::1]", "169.254.169.254"])
    def test_private_addresses_are_never_asked(self, agent: Agent, site: Website, host: str) -> None:
        leading(agent, f"http://{host}:{site.server_port}/gone", f"http://{host}/gone")
        nights(3)
        assert found() == []
        assert site.asked == []

    def test_a_redirect_to_a_private_address_is_not_followed(self, agent: Agent, site: Website) -> None:
        site.moved["/x"] = f"http://127.0.0.1:{site.server_port}/gone"
        leading(agent, site.url("/x"))
        nights(2)
        assert found() == []
        assert {path for path, _ in site.asked} == {"/x"}

    def test_a_server_that_trickles_is_asked_once_and_is_not_dead(
        self, agent: Agent, web: WebServer, site: Website, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        looks: list[str] = []
        ask = status_of

        def counted(url: str, *, deadline: float) -> int:
            looks.append(url)
            return ask(url, deadline=deadline)

        monkeypatch.setattr(external_links, "status_of", counted)
        monkeypatch.setattr(external_links, "SECONDS", 0.3)
        leading(agent, *(web.url(f"slow/{number}") for number in range(5)), site.url("/gone"))
        nights(1)
        assert len([url for url in looks if "slow" in url]) == 1
        assert ExternalLink.objects.get(misses=1).url == site.url("/gone")


@pytest.mark.django_db(transaction=True)
class TestCost:
    def test_an_address_is_asked_for_once_a_week_for_all_documents(self, agent: Agent, site: Website) -> None:
        for number in range(3):
            leading(agent, site.url("/here"), title=f"Lamps {number}")
        nights(6)
        assert site.asked == [("/here", 200)]
        nights(2)
        assert len(site.asked) == 2

    def test_another_look_on_the_same_day_asks_nobody(self, agent: Agent, site: Website) -> None:
        leading(agent, site.url("/gone"), site.url("/here"))
        for _ in range(3):
            external_links.gather()
            external_links.check()
        assert sorted(site.asked) == [("/gone", 404), ("/gone", 404), ("/here", 200)]  # the miss by both ways

    def test_a_long_look_goes_on_where_it_ended(
        self, agent: Agent, site: Website, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        again: list[Any] = []
        monkeypatch.setattr(check_links, "delay", lambda *job, **how: again.append((job, how)))
        monkeypatch.setattr(external_links, "SLICE", 0.001)
        leading(agent, *(site.url(f"/{number}") for number in range(3)))
        check_links(str(current_workspace().pk))
        rounds = 0
        while again and rounds < 10:
            job, how = again.pop()
            assert how == {"goes_on": True}
            check_links(*job, **how)
            rounds += 1
        assert rounds >= 2
        assert sorted(path for path, _ in site.asked) == ["/0", "/0", "/1", "/1", "/2", "/2"]

    def test_two_workers_share_the_looks(self, agent: Agent) -> None:
        leading(agent, "https://a.example/")
        external_links.gather()
        link = ExternalLink.objects.get()
        assert [external_links._claim(link), external_links._claim(link)] == [True, False]

    def test_a_workspace_has_so_many(self, agent: Agent, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(external_links, "MOST", 2)
        leading(agent, *(f"https://a.example/{number}" for number in range(5)))
        external_links.gather()
        assert ExternalLink.objects.count() == 2

    def test_turns_of_a_host_are_kept_without_its_robots_txt(
        self, agent: Agent, site: Website, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        waited: list[tuple[str, Any]] = []
        monkeypatch.setattr(robots, "wait_for_turn", lambda url, *, delay: waited.append((url, delay)))
        leading(agent, site.url("/here"))
        nights(1)
        assert waited == [(site.url("/here"), 1)]
        assert site.asked == [("/here", 200)]


@pytest.mark.django_db(transaction=True)
def test_an_uploaded_file_s_links_are_looked_at_too(agent: Agent, site: Website) -> None:
    source = add_file(agent, name="terms.docx", content=linked_word(site.url("/gone")))
    document = read(source)
    nights(2)
    assert Finding.objects.get(kind="dead_link").document == document
