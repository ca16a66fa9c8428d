"""A real manual of several hundred pages, somebody else's: the Debian Reference as PDF and as HTML.

It comes from Debian's package debian-reference-en: installed, or fetched once with `apt-get download` (which
needs no root) into var/manual. Where neither works, the tests are skipped and say so.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pypdfium2  # type: ignore[import-untyped]
import pytest
from filelock import FileLock

from agents.models import Agent
from knowledge.documents import add_file
from knowledge.ingest import ingest
from knowledge.models import Document
from knowledge.retrieval import Passage, search
from netvexa.config import PROJECT

pytestmark = pytest.mark.django_db

PACKAGE = "debian-reference-en"
INSIDE = Path("usr/share/debian-reference")
CACHE = PROJECT / "var" / "manual"
SITE = "https://www.debian.org/doc/manuals/debian-reference"


@pytest.fixture(scope="session")
def manual(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with the PDF and the chapters."""
    CACHE.parent.mkdir(exist_ok=True)
    with FileLock(f"{CACHE}.lock"):  # one process fetches, the others wait
        for folder in (Path("/") / INSIDE, CACHE):
            if (folder / "debian-reference.en.pdf").exists():
                return folder
        return _fetched(tmp_path_factory.mktemp("manual"))


def _fetched(scratch: Path) -> Path:
    if not (shutil.which("apt-get") and shutil.which("dpkg-deb")):
        pytest.skip(f"There is no apt here to fetch the manual with: install Debian's {PACKAGE}.")
    got = subprocess.run(
        ["apt-get", "download", PACKAGE],
        cwd=scratch,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    packages = list(scratch.glob("*.deb"))
    if not packages:
        pytest.skip(f"The manual could not be fetched ({got.stderr.strip()[-200:]}): install {PACKAGE}.")
    subprocess.run(["dpkg-deb", "-x", str(packages[0]), str(scratch / "content")], check=True)
    shutil.copytree(scratch / "content" / INSIDE, CACHE, dirs_exist_ok=True)
    return CACHE


def add(agent: Agent, path: Path, *, url: str = "") -> Document:
    document = add_file(agent, name=path.name, content=path.read_bytes(), url=url).documents.get()
    ingest(document.pk)
    document.refresh_from_db()
    assert (document.status, document.error) == ("ready", "")
    return document


def best(agent: Agent, question: str) -> Passage:
    found = search(question, agent_id=agent.pk)
    assert found.evidence > 0.5
    return found.passages[0]


def test_a_user_s_questions_to_the_pdf_lead_to_the_right_section_and_page(agent: Agent, manual: Path) -> None:
    document = add(agent, manual / "debian-reference.en.pdf")
    assert document.live is not None
    assert document.live.pages > 200
    assert document.live.chunk_count > 500
    for question, heading in (
        ("How do I set up sudo for a single user workstation?", "sudo configuration"),
        ("How do I change the system time zone?", "System and hardware time"),
        ("How can I schedule a task to run every day?", "Scheduling tasks regularly"),
        ("How do I kill a running process?", "Killing a process"),
        ("How do I find out which kernel modules are loaded?", "The kernel module initialization"),
        ("How do I set the hostname?", "The hostname"),
        ("How can I recover files that I deleted?", "Undeleting deleted but still open files"),
    ):
        passage = best(agent, question)
        assert passage.heading_path[-1].endswith(heading), question
        assert passage.page is not None
        assert _stands_on(manual / "debian-reference.en.pdf", passage.page, heading), question


def _stands_on(pdf: Path, page: int, heading: str) -> bool:
    """Whether the section begins on this page or the one before it, read without our layout."""
    document = pypdfium2.PdfDocument(pdf)
    return any(heading in document[n].get_textpage().get_text_range() for n in (page - 1, page - 2) if n >= 0)


def test_a_user_s_questions_to_the_pages_lead_to_the_right_anchor(agent: Agent, manual: Path) -> None:
    for name in ("ch01.en.html", "ch09.en.html"):
        add(agent, manual / name, url=f"{SITE}/{name}")
    for question, place in (
        ("How do I set up sudo for a single user workstation?", "ch01.en.html#_sudo_configuration"),
        ("How can I schedule a task to run every day?", "ch09.en.html#_scheduling_tasks_regularly"),
        ("How do I kill a running process?", "ch09.en.html#_killing_a_process"),
    ):
        assert best(agent, question).url == f"{SITE}/{place}"


def test_what_the_manual_does_not_tell_is_known_to_be_missing(agent: Agent, manual: Path) -> None:
    add(agent, manual / "ch09.en.html")
    for question in ("Who won the chess championship in 1972?", "What is your refund policy for shoes?"):
        assert search(question, agent_id=agent.pk).evidence < 0.5
