"""What people add to an agent's knowledge: a file, an address, a text."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings

from agents.models import Agent
from knowledge.documents import add_file, add_text, add_url
from knowledge.models import Source, SourceKind
from netvexa.lib.errors import AppError
from tenants.models import User

ACCEPTED = ".txt,.md,.markdown,.html,.htm,.pdf,.docx"
_MOST_MB = settings.CONFIG.netvexa_max_upload_mb
_TEXT_LIMIT = 1_000_000  # characters; longer texts come as files


class SourceForm(forms.Form):
    """One of three: which one `kind` says. Errors stand beside the field they are about."""

    kind = forms.ChoiceField(choices=SourceKind.choices, initial=SourceKind.FILE, widget=forms.HiddenInput)
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
        help_text=f"PDF, DOCX, HTML, Markdown or plain text, up to {_MOST_MB} MB.",
    )
    url = forms.CharField(
        required=False,
        label="Address of the page",
        max_length=2000,
        widget=forms.URLInput({"placeholder": "https://www.example.com/delivery"}),
        help_text="One public page. Links on it are not followed.",
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

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        needed = {SourceKind.FILE: ["file"], SourceKind.URL: ["url"], SourceKind.TEXT: ["title", "text"]}
        asked = {
            "file": "Choose a file.",
            "url": "Enter the address of a page.",
            "title": "Give the text a title.",
        }
        for name in needed.get(SourceKind(given["kind"]), []) if "kind" in given else ():
            if not given.get(name) and name not in self.errors and given.get(name) != 0:
                if name == "file" and given.get("file") is not None:
                    continue
                self.add_error(name, asked.get(name, "Paste the text."))
        return given

    def add_to(self, agent: Agent, *, by: User) -> Source | None:
        """Add what was given; None, with an error on the form, when it is refused."""
        given, kind = self.cleaned_data, self.cleaned_data["kind"]
        try:
            if kind == SourceKind.FILE:
                return add_file(agent, name=given["file"].name, content=given["file"], added_by=by.pk)
            if kind == SourceKind.URL:
                return add_url(agent, url=given["url"], added_by=by.pk)
            return add_text(agent, title=given["title"], text=given["text"], added_by=by.pk)
        except AppError as refused:
            self.add_error("text" if kind == SourceKind.TEXT else kind, refused.detail)
            return None
