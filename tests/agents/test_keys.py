"""A workspace's own key: sealed at rest, shown to nobody, tried on request, and then the only one in use."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection

from agents import keys
from agents.models import ModelSettings
from agents.providers import plan_for
from netvexa.lib.errors import Invalid
from netvexa.lib.masking import mask_cards, mask_contacts
from netvexa.lib.sealing import CannotOpen, seal, unseal
from tenants.context import in_tenant
from tenants.models import Workspace
from tests.fakes.llm import FakeLLM

KEY = "sk-own-0123456789"


@pytest.mark.django_db(transaction=True)
def test_a_key_is_sealed_and_opens_in_its_workspace_only(
    inside: Workspace, other_workspace: Workspace
) -> None:
    keys.keep("openai", KEY)
    assert keys.credentials_of(ModelSettings.current())["openai"].api_key == KEY
    with connection.cursor() as cursor:
        cursor.execute("SELECT keys::text FROM agents_modelsettings")
        (held,) = cursor.fetchone()
    assert KEY not in held
    ModelSettings.objects.all().delete()
    with in_tenant(other_workspace), connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO agents_modelsettings (id, masks_contacts, background_enabled, keys, alerts)"
            " VALUES (1, false, true, %s, '{}')",
            [held],
        )
        with pytest.raises(CannotOpen):
            ModelSettings.current()


@pytest.mark.django_db(transaction=True)
def test_with_a_key_of_its_own_a_workspace_uses_no_other(inside: Workspace, settings: Any) -> None:
    settings.GOOGLE_API_KEY = "platform"
    keys.keep("openai", KEY)
    plan = plan_for("starter", own_credentials=keys.credentials_of(ModelSettings.current()))
    assert [rung.ref.provider for rung in plan.rungs] == ["openai", "netvexa"]
    assert plan.rungs[0].credentials.api_key == KEY


@pytest.mark.django_db(transaction=True)
def test_testing_a_key_asks_the_provider(inside: Workspace, settings: Any, fake_llm: FakeLLM) -> None:
    settings.OPENAI_BASE_URL = f"{fake_llm.url}/v1"
    keys.keep("openai", KEY)
    model = str(
        plan_for("starter", own_credentials=keys.credentials_of(ModelSettings.current())).rungs[0].ref.model
    )
    fake_llm.behaves(model, says="Yes.")
    assert keys.test("openai", tier="starter")["works"]
    assert fake_llm.requests_to(model)[-1].headers["authorization"] == f"Bearer {KEY}"
    fake_llm.behaves(model, status=401, message="bad key")
    assert "does not accept" in keys.test("openai", tier="starter")["result"]
    assert ModelSettings.current().keys["openai"]["works"] is False


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("key", ["short", "has a space in it", "schlüssel-1234567"])
def test_what_is_no_key_is_refused(inside: Workspace, key: str) -> None:
    with pytest.raises(Invalid, match="does not look like a key"):
        keys.keep("openai", key)


def test_a_sealed_text_opens_for_its_purpose_only() -> None:
    sealed = seal("secret", purpose="one", owner="ws")
    assert unseal(sealed, purpose="one", owner="ws") == "secret"
    with pytest.raises(CannotOpen):
        unseal(sealed, purpose="other", owner="ws")


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("Pay with 4111 1111 1111 1111 please", "Pay with [card number] please"),
        ("Amex 378282246310005.", "Amex [card number]."),
        ("Ada,4111.1111.1111.1111,12", "Ada,[card number],12"),
        (
            "It took 4.11111111111116s or 41111111.11111111s",
            "It took 4.11111111111116s or 41111111.11111111s",
        ),
        ("At 4111111111111111.5 or 0.4111111111111111", "At 4111111111111111.5 or 0.4111111111111111"),
        ("4111 1111 1111 1111 12/27 123", "[card number] 12/27 123"),
        ("4111111111111111 12/27", "[card number] 12/27"),
        ("3782 822463 10005 0127", "[card number] 0127"),
        ("Use 5 4111111111111111", "Use 5 [card number]"),
        ("in 2024 4111 1111 1111 1111", "in 2024 [card number]"),
        ("It is.4111111111111111", "It is.[card number]"),
        ("4111  1111  1111  1111 or 4111 - 1111 - 1111 - 1111", "[card number] or [card number]"),
        ("4111/1111/1111/1111, 4111_1111_1111_1111", "[card number], [card number]"),
        ("4111\n1111\n1111\n1111", "[card number]"),
        ("4111\u20091111\u20091111\u20091111", "[card number]"),
        ("4111\u200b1111\u200b1111\u200b1111", "[card number]"),
        ("4111, 1111, 1111, 1111", "[card number]"),
        ("٤١١١ ١١١١ ١١١١ ١١١١ 12", "[card number] 12"),
        ("2019 2020 2021 2022 2023 2024", "2019 2020 2021 2022 2023 2024"),
        ("2026-11-27 07:40:19 2026-11-28 08:00:00", "2026-11-27 07:40:19 2026-11-28 08:00:00"),
        ("Order 4111 1111 1111 1112", "Order 4111 1111 1111 1112"),
        ("Call +43 660 1234567 or 01 234 56 78", "Call [telephone number] or [telephone number]"),
        ("Write to ada.b@acme.example today", "Write to [e-mail address] today"),
        ("On 2026-11-25 at 09:30 it cost 1,299.00", "On 2026-11-25 at 09:30 it cost 1,299.00"),
    ],
)
def test_cards_and_contacts_are_masked_and_nothing_else(text: str, masked: str) -> None:
    assert mask_contacts(mask_cards(text)) == masked
