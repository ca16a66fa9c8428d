"""The tier table and the ladder made of it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from pytest_django import Settings

from agents.checks import check_tier_table
from agents.providers import Credentials, plan_for, warm_up
from agents.tiers import EXTRACTIVE, TIERS, ModelNotInTierError, TierTableError, check_choice, load_table

KEYS = ("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "GOOGLE_API_KEY")
URLS = ("OPENAI_BASE_URL", "ANTHROPIC_BASE_URL", "GOOGLE_BASE_URL")


@pytest.fixture(autouse=True)
def _no_keys(settings: Settings) -> None:
    for name in (*KEYS, *URLS):
        setattr(settings, name, "")
    settings.MODEL_PRESET = "current"


def _give_keys(settings: Settings, *names: str) -> None:
    for name in names:
        setattr(settings, f"{name.upper()}_API_KEY", "key")


def _models(tier: str, **more: str) -> list[str]:
    return [str(rung.ref) for rung in plan_for(tier, **more).rungs]  # type: ignore[arg-type]


@pytest.mark.parametrize("preset", ["current", "original"])
@pytest.mark.parametrize("tier", TIERS)
def test_every_tier_of_every_preset_has_a_priced_primary_and_fallback(
    settings: Settings, preset: str, tier: str
) -> None:
    settings.MODEL_PRESET = preset
    _give_keys(settings, "openai", "anthropic", "google")
    primary, fallback, last = plan_for(tier).rungs
    assert (primary.name, fallback.name, last.name) == ("primary", "fallback", "extractive")
    assert primary.ref.provider != fallback.ref.provider
    for rung in (primary, fallback):
        assert rung.price.cost(input_tokens=1_000_000, output_tokens=1_000_000) > 0


def test_the_original_preset_is_the_specified_one(settings: Settings) -> None:
    settings.MODEL_PRESET = "original"
    _give_keys(settings, "openai", "anthropic", "google")
    table = load_table("original")
    specified = {
        "starter": ("google:gemini-1.5-flash", "openai:gpt-3.5-turbo", 2048, 3600),
        "growth": ("google:gemini-1.5-pro", "anthropic:claude-3-haiku-20240307", 4096, 1800),
        "professional": ("openai:gpt-4-turbo", "anthropic:claude-3-sonnet-20240229", 8192, 900),
        "business": ("anthropic:claude-3-opus-20240229", "openai:gpt-4", 16384, 300),
    }
    for tier, (primary, fallback, max_tokens, cache_seconds) in specified.items():
        row = table.tier(tier)
        assert [str(ref) for ref in row.models[:2]] == [primary, fallback]
        assert (row.max_tokens, row.cache_seconds) == (max_tokens, cache_seconds)


def test_a_model_is_never_asked_for_more_than_it_can_write(settings: Settings) -> None:
    settings.MODEL_PRESET = "original"
    _give_keys(settings, "openai")
    assert plan_for("business").rungs[0].max_tokens == 4096


def test_without_keys_the_built_in_model_answers_alone() -> None:
    assert _models("growth") == [EXTRACTIVE]


def test_one_key_is_enough_for_every_tier(settings: Settings) -> None:
    _give_keys(settings, "openai")
    for tier in TIERS:
        assert [name.partition(":")[0] for name in _models(tier)] == ["openai", "netvexa"]


def test_a_compatible_server_needs_no_key(settings: Settings) -> None:
    settings.OPENAI_BASE_URL = "http://127.0.0.1:11434/v1"
    rung = plan_for("starter").rungs[0]
    assert rung.credentials == Credentials("", "http://127.0.0.1:11434/v1")


def test_the_trial_is_the_starter_tier(settings: Settings) -> None:
    _give_keys(settings, "google", "openai")
    assert _models("trial") == _models("starter")


def test_an_agents_own_choice_goes_first_when_its_tier_has_it(settings: Settings) -> None:
    _give_keys(settings, "google", "openai", "anthropic")
    chosen = "anthropic:claude-haiku-5-5"
    assert _models("starter", configured=chosen)[0] == chosen
    assert _models("starter", configured="openai:gpt-6-astra") == _models("starter")


def test_an_agent_may_be_set_to_the_built_in_model(settings: Settings) -> None:
    _give_keys(settings, "google", "openai")
    assert _models("starter", configured=EXTRACTIVE) == [EXTRACTIVE]


def test_a_form_refuses_a_model_of_another_tier() -> None:
    table = load_table("current")
    check_choice(table, "starter", configured="")
    check_choice(table, "starter", configured=EXTRACTIVE)
    with pytest.raises(ModelNotInTierError, match="Your plan has these models"):
        check_choice(table, "starter", configured="openai:gpt-6-astra")


def test_a_workspaces_own_key_is_used_and_goes_to_the_vendor_itself(settings: Settings) -> None:
    settings.OPENAI_API_KEY, settings.OPENAI_BASE_URL = "platform", "https://proxy.example/v1"
    plan = plan_for("professional", own_credentials={"openai": Credentials("theirs")})
    assert plan.rungs[0].credentials == Credentials("theirs", "https://api.openai.com/v1")


def test_what_is_left_of_a_days_budget_lowers_the_ceiling_and_never_raises_it() -> None:
    tier = load_table("current").tier("starter").budget_micro_usd
    assert plan_for("starter", budget_micro_usd=100).limits.budget_micro_usd == 100
    assert plan_for("starter", budget_micro_usd=tier * 10).limits.budget_micro_usd == tier


def test_a_table_of_ones_own_may_price_ones_own_models(tmp_path: Path) -> None:
    path = _own_table(
        tmp_path, 'models."openai:llama"', "input_usd_per_million = 0\noutput_usd_per_million = 0"
    )
    assert load_table(path).tier("growth").models[0].model == "llama"


@pytest.mark.parametrize(
    ("section", "line", "sentence"),
    [
        ("limits", "", "No price is known for openai:llama"),
        ("limits", "first_token_seconds = -1", "greater than 0"),
        ("limits", "whatever = 1", "whatever"),
        ("limits", "first_token_seconds =", "not a valid tier table"),
    ],
)
def test_a_table_that_cannot_be_used_says_what_is_wrong(
    tmp_path: Path, section: str, line: str, sentence: str
) -> None:
    path = _own_table(tmp_path, section, line)
    with pytest.raises(TierTableError, match=sentence) as caught:
        load_table(path)
    assert "MODEL_PRESET" in str(caught.value)


def test_the_system_check_names_a_table_that_cannot_be_used(settings: Settings, tmp_path: Path) -> None:
    assert check_tier_table() == []
    settings.MODEL_PRESET = _own_table(tmp_path, "limits", "")
    assert [message.id for message in check_tier_table()] == ["agents.E001"]


def test_warming_up_loads_the_clients_of_the_vendors_that_have_a_key(settings: Settings) -> None:
    _give_keys(settings, "google")
    warm_up()
    assert "agents.providers.google" in sys.modules


def test_an_unknown_preset_names_the_known_ones() -> None:
    with pytest.raises(TierTableError, match="current, original"):
        load_table("newest")


def _own_table(folder: Path, section: str, line: str) -> str:
    row = 'models = ["openai:llama"]\nmax_tokens = 500\ncache_seconds = 0\nbudget_micro_usd = 1\n'
    path = folder / "own.toml"
    path.write_text(f"[{section}]\n{line}\n" + "".join(f"[tiers.{tier}]\n{row}" for tier in TIERS))
    return str(path)


def test_prices_step_up_with_the_length_of_the_prompt_and_cached_tokens_are_cheaper() -> None:
    price = load_table("current").facts[load_table("current").tier("starter").models[1]].price
    assert len(price.rates) > 1
    short, long = price.rates[0].start + 1, price.rates[1].start + 1
    assert price.cost(input_tokens=long, output_tokens=0) > price.cost(input_tokens=long - 1, output_tokens=0)
    fresh = price.cost(input_tokens=100_000, output_tokens=0)
    assert price.cost(input_tokens=100_000, output_tokens=0, cached_tokens=90_000) < fresh
    assert price.cost(input_tokens=short, output_tokens=0) == 0


def test_importing_the_package_loads_no_vendor() -> None:
    script = (
        "import sys, agents.providers\n"
        "heavy = ('langchain', 'openai', 'anthropic', 'google.genai', 'genai_prices', 'httpx')\n"
        "print([name for name in sys.modules if name.startswith(heavy)])"
    )
    run = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, env=os.environ
    )
    assert run.stdout.strip() == "[]"
