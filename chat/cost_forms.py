"""What an owner types about models and money."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from django import forms

from agents.forms import DollarsField
from agents.keys import NAMES
from agents.models import ModelSettings

if TYPE_CHECKING:
    SettingsModelForm = forms.ModelForm[ModelSettings]
else:  # not generic at run time
    SettingsModelForm = forms.ModelForm


class BudgetForm(SettingsModelForm):
    """Budgets of the workspace, and what never reaches a provider."""

    daily_budget_micro_usd = DollarsField(label="A day, all agents")
    monthly_budget_micro_usd = DollarsField(label="A month, all agents")
    conversation_budget_micro_usd = DollarsField(label="One conversation")

    class Meta:
        model = ModelSettings
        fields = (
            "daily_budget_micro_usd",
            "monthly_budget_micro_usd",
            "conversation_budget_micro_usd",
            "masks_contacts",
            "background_enabled",
        )
        labels: ClassVar = {
            "masks_contacts": "Hide e-mail addresses and telephone numbers from providers",
            "background_enabled": "Let a small model write titles and summaries, and read leads",
        }
        help_texts: ClassVar = {
            "masks_contacts": "They are replaced in what visitors wrote. Card numbers are always replaced.",
            "background_enabled": "Otherwise built-in rules do, which quote what was said, and nothing is sent.",
        }


class KeyForm(forms.Form):
    """A key of the workspace's own at a provider."""

    provider = forms.ChoiceField(choices=list(NAMES.items()))
    key = forms.CharField(
        max_length=400,
        label="Key",
        widget=forms.PasswordInput({"autocomplete": "off", "spellcheck": "false"}),
        help_text="Stored encrypted, and never shown again.",
    )
