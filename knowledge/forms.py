"""What people add to an agent's knowledge: a file, pages of the web, questions with answers, a text."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.conf import settings

from agents.audience_fields import AudienceFormField
from agents.audiences import in_use
from agents.models import Agent
from knowledge.documents import MAX_DEPTH, add_file, add_questions, add_site, add_text, add_url
from knowledge.models import Source, SourceKind
from knowledge.parsing.qa import MAX_ANSWER, MAX_QUESTION, Pair
from knowledge.questions import pairs_of_csv
from knowledge.scope import DEFAULT_DEPTH, DEFAULT_PAGES, MAX_PAGES, Scope
from netvexa.lib.errors import AppError
from tenants.models import User

ACCEPTED = (
    ".txt,.md,.markdown,.html,.htm,.pdf,.docx,.pptx,.xlsx,.csv,.tsv,.epub,.json,.jsonl,.zip,.png,.jpg,.jpeg"
)
_MOST_MB = settings.CONFIG.netvexa_max_upload_mb
_TEXT_LIMIT = 1_000_000  # characters; longer texts come as files
# What a person chooses among; how much of the web is a second choice, `reach`.
KINDS = [SourceKind.FILE, SourceKind.URL, SourceKind.QUESTIONS, SourceKind.TEXT]
REACHES = [
    (SourceKind.URL, "One page"),
    (SourceKind.SITE, "A whole website"),
    (SourceKind.SITEMAP, "The pages of a sitemap"),
]


class LanguagesForm(forms.ModelForm[Agent]):
    """What an agent's sources are written in."""

    class Meta:
        model = Agent
        fields = ("knowledge_languages",)
        labels: ClassVar = {"knowledge_languages": "Written in"}
        help_texts: ClassVar = {
            "knowledge_languages": "Automatic looks at the sources. Choose several languages when visitors ask in"
            " another language than the sources are written in."
        }


class SourceForm(forms.Form):
    """One of four: which one `kind` says. Errors stand beside the field they are about."""

    kind = forms.ChoiceField(
        choices=[(kind.value, kind.label) for kind in KINDS],
        initial=SourceKind.FILE,
        widget=forms.HiddenInput,
    )
    file = forms.FileField(
        required=False,
        allow_empty_file=True,  # so that our own sentence about it is shown
        widget=forms.FileInput(
            {
                "accept": ACCEPTED,
                "data-max-bytes": settings.MAX_UPLOAD_BYTES,
                "data-too-large": f"This file is larger than {_MOST_MB} MB. Split it into parts.",
            }
        ),
        help_text="PDF, Word, PowerPoint, Excel, CSV, EPUB, JSON, HTML, Markdown, plain text, a ZIP of these, or a"
        " picture of text (PNG, JPEG),"
        f" up to {_MOST_MB} MB.",
    )
    url = forms.CharField(
        required=False,
        label="Address",
        max_length=2000,
        widget=forms.URLInput({"placeholder": "https://www.example.com/help/"}),
        help_text="A public address. For a website, pages below it are read.",
    )
    reach = forms.ChoiceField(required=False, label="Read", choices=REACHES, initial=SourceKind.URL)
    pages = forms.IntegerField(
        required=False, label="Most pages", min_value=1, max_value=MAX_PAGES, initial=DEFAULT_PAGES
    )
    depth = forms.IntegerField(
        required=False, label="Links deep", min_value=0, max_value=MAX_DEPTH, initial=DEFAULT_DEPTH
    )
    include = forms.CharField(
        required=False,
        label="Only these paths",
        widget=forms.Textarea({"rows": 2, "placeholder": "/help/*"}),
        help_text="One a line. Empty: everything below the address.",
    )
    exclude = forms.CharField(
        required=False,
        label="Not these paths",
        widget=forms.Textarea({"rows": 2, "placeholder": "/blog/*"}),
        help_text="One a line.",
    )
    keep = forms.CharField(
        required=False,
        label="Part of the page to read",
        max_length=300,
        widget=forms.TextInput({"placeholder": "main .article"}),
        help_text="A CSS selector. Empty: found by itself.",
    )
    drop = forms.CharField(
        required=False,
        label="Parts to leave out",
        max_length=300,
        widget=forms.TextInput({"placeholder": ".cookie-banner, .ads"}),
        help_text="CSS selectors, comma separated.",
    )
    title = forms.CharField(
        required=False, max_length=200, help_text="Visitors see it in citations, such as “Delivery terms”."
    )
    text = forms.CharField(
        required=False,
        max_length=_TEXT_LIMIT,
        widget=forms.Textarea({"rows": 8}),
        help_text="Markdown headings become the sections that citations name.",
    )
    question = forms.CharField(required=False, max_length=MAX_QUESTION)
    answer = forms.CharField(required=False, max_length=MAX_ANSWER, widget=forms.Textarea({"rows": 4}))
    pairs = forms.FileField(
        required=False,
        label="Or a CSV file of many",
        widget=forms.FileInput({"accept": ".csv,.tsv"}),
        help_text="Two columns: question and answer.",
    )
    audience = AudienceFormField()
    draft = forms.BooleanField(
        required=False, label="Keep as a draft", help_text="Nothing answers from it until you publish it."
    )
    known_audiences = staticmethod(in_use)

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        needed = {
            SourceKind.FILE: ["file"],
            SourceKind.URL: ["url"],
            SourceKind.TEXT: ["title", "text"],
            SourceKind.QUESTIONS: ["title"] if given.get("pairs") else ["title", "question", "answer"],
        }
        asked = {
            "file": "Choose a file.",
            "url": "Enter an address.",
            "title": "Give it a title.",
            "text": "Paste the text.",
            "question": "Enter a question, or choose a CSV file.",
            "answer": "Enter the answer.",
        }
        for name in needed.get(SourceKind(given["kind"]), []) if "kind" in given else ():
            if not given.get(name) and name not in self.errors and given.get(name) != 0:
                if name == "file" and given.get("file") is not None:
                    continue
                self.add_error(name, asked[name])
        return given

    @property
    def scope(self) -> Scope:
        """Which pages of the web; call on a valid form."""
        given = self.cleaned_data
        pages, depth = given.get("pages"), given.get("depth")
        return Scope(
            pages=DEFAULT_PAGES if pages is None else pages,
            depth=DEFAULT_DEPTH if depth is None else depth,
            include=tuple(filter(None, map(str.strip, given["include"].splitlines()))),
            exclude=tuple(filter(None, map(str.strip, given["exclude"].splitlines()))),
            keep=given["keep"].strip(),
            drop=given["drop"].strip(),
        )

    @property
    def reach_kind(self) -> SourceKind:
        return SourceKind(self.cleaned_data["reach"] or SourceKind.URL)

    @property
    def size(self) -> int:
        """Bytes that it adds to what is stored; of a page they are not known before it is fetched."""
        given = self.cleaned_data
        match given["kind"]:
            case SourceKind.FILE:
                return int(given["file"].size)
            case SourceKind.TEXT:
                return len(given["text"].encode())
            case SourceKind.QUESTIONS:
                return int(given["pairs"].size) if given["pairs"] else len(given["answer"].encode())
            case _:
                return 0

    def add_to(self, agent: Agent, *, by: User) -> Source | None:
        """Add what was given; None, with an error on the form, when it is refused."""
        kind = SourceKind(self.cleaned_data["kind"])
        try:
            return self._add(agent, kind, by)
        except AppError as refused:
            field = {SourceKind.QUESTIONS: "pairs" if self.cleaned_data["pairs"] else "question"}
            self.add_error(field.get(kind, kind.value), refused.detail)
            return None

    def _add(self, agent: Agent, kind: SourceKind, by: User) -> Source:
        given = self.cleaned_data
        audience = given["audience"]
        match kind:
            case SourceKind.FILE:
                file = given["file"]
                return add_file(agent, name=file.name, content=file, audience=audience, added_by=by.pk)
            case SourceKind.URL if self.reach_kind == SourceKind.URL:
                return add_url(agent, url=given["url"], audience=audience, added_by=by.pk)
            case SourceKind.URL:
                return add_site(
                    agent,
                    url=given["url"],
                    scope=self.scope,
                    kind=self.reach_kind,
                    audience=audience,
                    added_by=by.pk,
                )
            case SourceKind.QUESTIONS:
                file = given["pairs"]
                pairs = pairs_of_csv(file.read()) if file else [Pair(given["question"], given["answer"])]
                title, draft = given["title"], given["draft"]
                return add_questions(
                    agent, title=title, pairs=pairs, audience=audience, draft=draft, added_by=by.pk
                )
            case _:
                title, draft = given["title"], given["draft"]
                return add_text(
                    agent,
                    title=title,
                    text=given["text"],
                    audience=audience,
                    draft=draft,
                    added_by=by.pk,
                )


class AudienceForm(forms.Form):
    """Whom a source is meant for."""

    audience = AudienceFormField()
    known_audiences = staticmethod(in_use)
