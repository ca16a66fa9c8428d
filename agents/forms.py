"""What people type about an agent."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import urlsplit

from django import forms
from django.core.exceptions import ValidationError

from agents.models import Agent, Tone

if TYPE_CHECKING:
    AgentModelForm = forms.ModelForm[Agent]
else:  # not generic at run time
    AgentModelForm = forms.ModelForm

MAX_SUGGESTIONS = 6
SUGGESTION_LENGTH = 120
MAX_ORIGINS = 50
MICRO = 1_000_000
_HOST = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}")


class LinesField(forms.CharField):
    """A list of texts, one on each line."""

    widget = forms.Textarea

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(value) if isinstance(value, list) else value

    def to_python(self, value: Any) -> Any:
        if isinstance(value, list):
            return value
        lines = [re.sub(r"\s+", " ", line).strip() for line in str(value or "").splitlines()]
        return list(dict.fromkeys(filter(None, lines)))

    def has_changed(self, initial: Any, data: Any) -> bool:
        return bool(self.to_python(initial) != self.to_python(data))

    def run_validators(self, value: Any) -> None:
        """A list has no characters to forbid; the form checks each of its texts."""


class DollarsField(forms.DecimalField):
    """An amount in US dollars as people write it; micro-USD inside. Empty is None: no budget."""

    def __init__(self, **kwargs: Any) -> None:
        widget = forms.NumberInput({"step": "0.01", "min": "0.01", "placeholder": "No budget"})
        super().__init__(
            required=False, min_value=Decimal("0.01"), max_digits=9, decimal_places=2, widget=widget, **kwargs
        )

    def prepare_value(self, value: Any) -> Any:
        return f"{value / MICRO:.2f}" if isinstance(value, int) else value

    def clean(self, value: Any) -> Any:
        dollars = super().clean(value)
        return None if dollars is None else int(dollars * MICRO)

    def has_changed(self, initial: Any, data: Any) -> bool:
        return bool(super().has_changed(self.prepare_value(initial), data))


def check_host(text: str) -> str:
    """A host name as it stands in an address. Raises ValidationError."""
    host = (urlsplit(text if "//" in text else f"//{text}").hostname or "").rstrip(".")
    if not _HOST.fullmatch(host):
        raise ValidationError(f"“{text}” is not a host. Write it like shop.example.com.")
    return host


def check_origin(text: str) -> str:
    """An origin in its usual form: scheme, host, unusual port. Raises ValidationError."""
    parts = urlsplit(text)
    try:
        port = parts.port
    except ValueError:
        port = -1
    if parts.scheme not in ("http", "https") or not parts.hostname or port == -1:
        raise ValidationError(f"“{text}” is not an origin. Write it like https://www.example.com.")
    if parts.path not in ("", "/") or parts.query or parts.fragment or parts.username:
        raise ValidationError(f"“{text}” has more than scheme and host. Leave out what follows the host.")
    usual = {"http": 80, "https": 443}[parts.scheme]
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return f"{parts.scheme}://{host}" + (f":{port}" if port and port != usual else "")


class NewAgentForm(AgentModelForm):
    """What an agent needs to begin with."""

    class Meta:
        model = Agent
        fields = ("name", "tone", "greeting")
        widgets: ClassVar = {"tone": forms.RadioSelect, "greeting": forms.Textarea({"rows": 2})}
        help_texts: ClassVar = {
            "name": "Visitors see it at the top of the chat, such as “Acme Assistant”.",
            "greeting": "The first message of an empty conversation.",
            "tone": "Shapes what hosted models write. The built-in model quotes your documents as they are.",
        }

    tone = forms.ChoiceField(
        choices=[(tone.value, tone.label) for tone in Tone],
        widget=forms.RadioSelect,
        initial=Tone.FRIENDLY,
        help_text="Shapes what hosted models write. The built-in model quotes your documents as they are.",
    )


class AgentForm(NewAgentForm):
    """Everything an admin may change about an agent."""

    suggestions = LinesField(
        required=False,
        label="Suggested questions",
        help_text="One on each line, at most six. Visitors see them as buttons under the greeting.",
    )
    allowed_origins = LinesField(
        required=False,
        label="Allowed origins",
        widget=forms.Textarea({"rows": 3, "placeholder": "https://www.example.com", "spellcheck": "false"}),
        help_text="Sites that may show the widget, one on each line. Empty allows every site.",
    )
    evidence_threshold = forms.FloatField(
        min_value=0,
        max_value=1,
        label="Evidence strictness",
        widget=forms.NumberInput({"type": "range", "min": "0", "max": "1", "step": "0.05"}),
        help_text="How sure the evidence must be before the agent answers: relaxed at the left, strict at the right.",
    )
    model = forms.ChoiceField(required=False, help_text="Which language model words the answers.")
    cache_similarity = forms.FloatField(
        required=False,
        min_value=0.8,
        max_value=1,
        label="How alike questions must be",
        widget=forms.NumberInput({"type": "range", "min": "0.8", "max": "1", "step": "0.01"}),
        help_text="Questions that differ in a number, a name, a negation or a word that counts never share an answer.",
    )
    daily_budget_micro_usd = DollarsField(label="Budget of a day, US dollars")
    monthly_budget_micro_usd = DollarsField(label="Budget of a month, US dollars")
    link_hosts = LinesField(
        required=False,
        label="Links may lead to",
        widget=forms.Textarea({"rows": 3, "placeholder": "shop.example.com", "spellcheck": "false"}),
        help_text="Hosts beside those of your sources, one on each line. Links to elsewhere are taken out of answers.",
    )

    class Meta(NewAgentForm.Meta):
        fields = (  # type: ignore[assignment]  # more of them than the parent has
            "name",
            "tone",
            "greeting",
            "instructions",
            "suggestions",
            "language",
            "model",
            "evidence_threshold",
            "unsupported_claims",
            "change_gate",
            "judge",
            "cache_enabled",
            "cache_similarity",
            "daily_budget_micro_usd",
            "monthly_budget_micro_usd",
            "link_hosts",
            "allowed_origins",
            "contact_email",
            "handoff_enabled",
            "is_active",
        )
        widgets: ClassVar = {
            "greeting": forms.Textarea({"rows": 2}),
            "instructions": forms.Textarea({"rows": 4}),
        }
        labels: ClassVar = {
            "handoff_enabled": "Asking for a person",
            "is_active": "Active",
            "unsupported_claims": "Sentences that the sources do not support",
            "change_gate": "Changes that may break answers",
            "judge": "Judge of test runs",
            "cache_enabled": "Answer repeated questions from the cache",
            "contact_email": "Contact e-mail",
        }
        help_texts: ClassVar = {
            **NewAgentForm.Meta.help_texts,
            "instructions": "What to stress and what to avoid, in plain words. Facts belong into sources.",
            "handoff_enabled": "Visitors are offered to talk to a person of your team.",
            "is_active": "A paused agent shows no bubble and answers nobody.",
            "cache_enabled": "A question that was answered a little while ago gets that answer at once, for nothing.",
            "unsupported_claims": "What a hosted model writes is checked against the passages it cites.",
            "change_gate": "Counts as soon as the agent has test questions, under Improve, Tests.",
            "judge": "One of your plan’s models reads questions, answers and what they cite; its tokens cost.",
            "language": "A code such as en or de; empty follows the visitor.",
            "contact_email": "Who is told when a visitor asks for a person.",
        }

    def __init__(self, *args: Any, models: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["model"].choices = models  # type: ignore[attr-defined]
        for name in ("unsupported_claims", "change_gate", "judge"):
            self.fields[name].required = False  # a program that does not send them leaves them alone

    def clean_suggestions(self) -> list[str]:
        questions: list[str] = self.cleaned_data["suggestions"]
        if len(questions) > MAX_SUGGESTIONS:
            raise ValidationError(f"At most {MAX_SUGGESTIONS} questions.")
        if any(len(question) > SUGGESTION_LENGTH for question in questions):
            raise ValidationError(f"Keep each question within {SUGGESTION_LENGTH} characters.")
        return questions

    def clean_allowed_origins(self) -> list[str]:
        origins = list(dict.fromkeys(map(check_origin, self.cleaned_data["allowed_origins"])))
        if len(origins) > MAX_ORIGINS:
            raise ValidationError(f"At most {MAX_ORIGINS} origins.")
        return origins

    def clean_cache_similarity(self) -> float:
        given: float | None = self.cleaned_data["cache_similarity"]
        return self.instance.cache_similarity if given is None else given

    def clean_unsupported_claims(self) -> str:
        return self.cleaned_data["unsupported_claims"] or self.instance.unsupported_claims

    def clean_judge(self) -> str:
        return self.cleaned_data["judge"] or self.instance.judge

    def clean_change_gate(self) -> str:
        return self.cleaned_data["change_gate"] or self.instance.change_gate

    def clean_link_hosts(self) -> list[str]:
        hosts = list(dict.fromkeys(map(check_host, self.cleaned_data["link_hosts"])))
        if len(hosts) > MAX_ORIGINS:
            raise ValidationError(f"At most {MAX_ORIGINS} hosts.")
        return hosts

    def save(self, commit: bool = True) -> Agent:
        agent = super().save(commit=False)
        agent.version += 1
        if commit:
            agent.save()
        return agent
