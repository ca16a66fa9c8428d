"""What went wrong in products like this one: a test named after each class of advisory, on our own doors.

The walk of `tests/isolation` tries every route; these say in one place that each known mistake of others is not
ours. Ids are those of the public advisories.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from agents.models import Agent
from chat.leads import as_csv
from chat.links import Links
from chat.models import Conversation, Lead, Message
from knowledge import retrieval
from knowledge.canary import owners_of
from knowledge.fetching import fetch
from netvexa.lib.errors import AppError
from netvexa.lib.masking import mask_cards, mask_contacts
from netvexa.lib.pictures import PictureRefused, check_picture
from netvexa.lib.sheets import safe_cell
from tenants.addresses import safe_path
from tenants.context import in_tenant, platform
from tenants.keys import Scope
from tenants.models import Invitation, Membership, Role, User, Workspace
from tests.isolation.matrix import client_at
from tests.isolation.world import World
from tests.plugins.integrators import at_host, new_key
from tests.plugins.people import add_member, client_of

pytestmark = pytest.mark.django_db
INJECTIONS = (
    "' OR '1'='1",
    "%' OR 1=1 --",
    "'); SELECT pg_sleep(3); --",
    "x' UNION SELECT key_hash FROM tenants_apikey --",
    "\\' OR true #",
)


def test_chatwoot_cve_2025_21628_filters_take_text_for_text(workspace: Workspace) -> None:
    browser = client_of(workspace, User.objects.get(email="owner@acme.example"))
    api = at_host(workspace, new_key(workspace, Scope.ADMIN).secret)

    for text in INJECTIONS:
        everything = dict.fromkeys(("q", "actor", "action", "state", "agent", "page", "ordering"), text)
        for address in ("/leads/", "/conversations/", "/audit-log/", "/knowledge/"):
            assert browser.get(address, everything).status_code in (200, 400, 404)
        for kind in ("leads", "conversations", "sources", "documents"):
            assert api.get(f"{kind}/", **everything).status_code in (200, 400, 404)


def test_chatwoot_cve_2026_115725_a_source_is_not_reached_by_its_id(acme: World, rival: World) -> None:
    api = at_host(acme.workspace, acme.key.secret)

    assert api.get(f"sources/{rival.ids['source']}/").status_code == 404
    assert api.delete(f"sources/{rival.ids['source']}/").status_code == 404


@pytest.mark.parametrize("name", ["face.svg", "face.png"])
def test_chatwoot_cve_2021_3741_no_picture_is_a_program(name: str) -> None:
    picture = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'

    with pytest.raises(PictureRefused):
        check_picture(SimpleUploadedFile(name, picture, "image/png"))


def test_zulip_cve_2022_21706_an_invitation_is_to_one_workspace_and_one_role(
    workspace: Workspace, other_workspace: Workspace
) -> None:
    stranger = User.objects.get(email="owner@rival.example")
    browser = client_of(workspace, User.objects.get(email="owner@acme.example"))
    browser.post("/members/invite/", {"email": stranger.email, "role": "viewer"})

    with platform():
        assert not Membership.objects.filter(user=stranger, workspace=workspace).exists()
        assert Membership.objects.get(user=stranger).role == Role.OWNER


@pytest.mark.django_db(transaction=True)
async def test_zulip_cve_2022_31134_an_export_holds_what_its_page_shows_and_no_file(
    workspace: Workspace,
) -> None:
    text = "".join([line async for line in as_csv(workspace)])

    assert text.lstrip("\ufeff").strip() == "Time,Name,E-mail,Phone,Company,Agent,Page,Conversation,Score,Why"


def test_zulip_cve_2022_31168_nobody_gives_a_program_more_than_they_have(workspace: Workspace) -> None:
    add_member(workspace, "ada@acme.example", Role.AGENT)
    login = {"email": "ada@acme.example", "password": "correct horse battery staple", "scopes": ["admin"]}

    answer = at_host(workspace, "").post("auth/token/", login)

    assert answer.status_code == 403


def test_zulip_cve_2026_24050_what_visitors_write_is_text(acme: World) -> None:
    browser = client_of(acme.workspace, acme.user)
    written = "<script>alert(1)</script> <img src=x onerror=alert(1)> [x](javascript:alert(1)) <svg/onload=alert(1)>"
    with in_tenant(acme.workspace):
        Lead.objects.update(name=written)
        Conversation.objects.update(title=written)
        Message.objects.update(text=written)

    for address in ("/leads/", "/conversations/", f"/conversations/{acme.ids['conversation']}/"):
        shown = browser.get(address).content.decode()
        assert "&lt;script&gt;alert(1)" in shown
        for live in ("<script>alert", "<img src=x", "<svg/onload", 'href="javascript:'):
            assert live not in shown, address


def test_zulip_cve_2016_4427_who_is_shut_out_reads_nothing_more(acme: World) -> None:
    browser = client_of(acme.workspace, acme.user)
    assert browser.get("/conversations/").status_code == 200

    User.objects.filter(pk=acme.user.pk).update(is_active=False)

    assert browser.get("/conversations/").status_code == 302


def test_zulip_2021_03_18_no_cache_between_keeps_a_page_of_members(acme: World) -> None:
    browser = client_of(acme.workspace, acme.user)

    for address in ("/", "/conversations/", "/leads/", "/settings/", f"/agents/{acme.agent.pk}/settings/"):
        kept = browser.get(address).headers.get("Cache-Control", "")
        assert "no-store" in kept or "private" in kept, address


def test_dify_cve_2026_41949_a_file_is_shown_to_its_workspace_only(acme: World, rival: World) -> None:
    path = f"/conversations/{rival.ids['conversation']}/files/{rival.ids['attachment']}/"

    assert client_of(acme.workspace, acme.user).get(path).status_code == 404
    assert client_of(rival.workspace, acme.user).get(path).status_code == 404
    assert client_of(rival.workspace, rival.user).get(path).status_code == 200


def test_dify_cve_2025_43862_who_only_replies_does_not_change_agents(acme: World) -> None:
    ada = add_member(acme.workspace, "ada@acme.example", Role.AGENT)

    answer = client_of(acme.workspace, ada).post(f"/agents/{acme.agent.pk}/settings/", {"name": "Owned"})

    assert answer.status_code == 403


def test_dify_cve_2026_61461_a_question_is_no_statement(acme: World) -> None:
    with in_tenant(acme.workspace):
        for text in INJECTIONS:
            assert acme.key.row.key_hash not in str(retrieval.search(text, agent_id=acme.agent.pk))


@pytest.mark.parametrize(
    "address",
    [
        "http://169.254.169.254/latest/meta-data/",
        "http://127.0.0.1:6379/",
        "http://[::ffff:127.0.0.1]/",
        "http://0x7f.1/",
        "http://2130706433/",
        "http://100.64.0.1/",
        "http://example.com\\@169.254.169.254/",
        "http://169.254.169.254#@example.com/",
        "file:///etc/passwd",
        "javascript:alert(1)",
        "gopher://127.0.0.1:6379/_FLUSHALL",
    ],
)
def test_open_webui_cve_2026_45400_no_address_leads_inside(address: str) -> None:
    with pytest.raises(AppError):
        fetch(address)


@pytest.mark.parametrize(
    "path",
    ["javascript:alert(1)", "//evil.example", "/\\evil.example", "https://evil.example/", "/\t/evil.example"],
)
def test_dify_cve_2026_18266_nobody_is_led_elsewhere(path: str) -> None:
    assert safe_path(path) == "/"


def test_dify_cve_2025_63386_the_api_is_not_for_other_sites_scripts(acme: World) -> None:
    client = client_at(acme.host, session=acme)

    answer = client.get("/api/v1/agents/", headers={"origin": "https://evil.example"})

    assert answer.status_code == 401
    assert answer.headers.get("Access-Control-Allow-Origin", "") not in ("*", "https://evil.example")
    assert "Access-Control-Allow-Credentials" not in answer.headers


def test_open_webui_cve_2026_45349_nobody_goes_on_with_anothers_conversation(
    acme: World, rival: World
) -> None:
    api = at_host(acme.workspace, acme.key.secret)

    answer = api.post(f"conversations/{rival.ids['conversation']}/messages/", {"text": "Go on"})

    assert answer.status_code == 404


def test_open_webui_cve_2026_45398_knowledge_is_neither_read_nor_poisoned_by_its_id(
    acme: World, rival: World
) -> None:
    api = at_host(acme.workspace, acme.key.secret)
    with in_tenant(acme.workspace):
        assert retrieval.search(rival.canary, agent_id=rival.agent.pk).passages == ()

    assert api.put(f"sources/{rival.ids['source']}/content/", {"text": "Poison"}).status_code == 404
    poison = {"agent": str(rival.agent.pk), "kind": "text", "title": "Poison", "text": "Poison"}
    assert api.post("sources/", poison).status_code in (400, 404)


def test_open_webui_cve_2026_45671_nobody_deletes_anothers_documents(acme: World, rival: World) -> None:
    browser = client_of(acme.workspace, acme.user)

    assert browser.post(f"/knowledge/{rival.ids['source']}/delete/").status_code == 404
    with in_tenant(rival.workspace):
        assert retrieval.search(rival.canary, agent_id=rival.agent.pk).passages


def test_flowise_ghsa_f6hc_c5jr_878p_no_empty_token_sets_a_password(workspace: Workspace) -> None:
    user = User.objects.get(email="owner@acme.example")
    new = {"new_password1": "correct horse battery", "new_password2": "correct horse battery"}

    for token in ("null", "None", "undefined", "%20", "0"):
        Client(headers={"host": "localhost"}).post(f"/password/{user.pk}/{token}/", new)

    assert User.objects.get(pk=user.pk).password == user.password


def test_flowise_ghsa_c2c9_mfw7_p8hw_a_key_lists_its_own_workspace(acme: World, rival: World) -> None:
    for kind in ("agents", "sources", "documents", "conversations", "leads", "versions"):
        shown = at_host(acme.workspace, acme.key.secret).get(f"{kind}/").content.decode()
        assert rival.canary not in shown
        assert acme.canary in shown or kind == "agents" or kind == "versions"


def test_flowise_cve_2026_30820_no_header_makes_a_stranger_one_of_us(workspace: Workspace) -> None:
    stranger = client_at("acme.localhost")

    for name in ("x-request-from", "x-original-url", "x-user-id", "x-forwarded-user", "x-forwarded-for"):
        for value in ("internal", "127.0.0.1", "owner@acme.example"):
            assert stranger.get("/api/v1/agents/", headers={name: value}).status_code == 401
            assert stranger.get("/conversations/", headers={name: value}).status_code == 302


# Classes without one advisory


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_no_cell_of_an_export_is_a_formula(start: str) -> None:
    assert safe_cell(f"{start}HYPERLINK(1)").startswith("'")


def test_no_field_brings_another_with_it(acme: World, rival: World) -> None:
    """Mass assignment: what a form or the API does not offer is not set by naming it."""
    api = at_host(acme.workspace, acme.key.secret)
    more = {"public_id": "stolen", "identity_secret": "stolen", "workspace": str(rival.workspace.pk)}

    answer = api.patch(f"agents/{acme.agent.pk}/", {"name": "Vexa", **more})

    with in_tenant(acme.workspace):
        row = Agent.objects.get(pk=acme.agent.pk)
    assert answer.status_code in (200, 400)
    assert "stolen" not in (row.public_id, row.identity_secret)
    browser = client_of(acme.workspace, acme.user)
    browser.post(
        "/settings/", {"name": "Acme", "time_zone": "UTC", "slug": "rival", "is_demo": "on", "key": "x"}
    )
    with platform():
        assert Workspace.objects.get(pk=acme.workspace.pk).slug == "acme"


@pytest.mark.parametrize(
    "address", ["a@b.example\nBcc: c@d.example", "a@b.example\r\nSubject: x", "a@b\0.example"]
)
def test_no_address_brings_a_header_into_a_mail(workspace: Workspace, address: str) -> None:
    browser = client_of(workspace, User.objects.get(email="owner@acme.example"))

    answer = browser.post("/members/invite/", {"email": address, "role": "agent"})

    assert answer.status_code in (400, 422)
    with platform():
        assert not Invitation.objects.exists()


@pytest.mark.parametrize(
    "host", ["evil.example", "acme.localhost.evil.example", "acme.localhost@evil.example"]
)
def test_an_unknown_host_leads_nowhere(host: str) -> None:
    assert Client(headers={"host": host}).get("/log-in/").status_code == 404


def test_our_own_patterns_end_soon_whatever_they_read() -> None:
    """ReDoS: the inputs that make a backtracking pattern take forever."""
    begun = time.process_time()
    for piece in (
        "[",
        "![",
        "](",
        "((",
        "[a]((",
        "<a ",
        "<!--",
        "4111 ",
        "a@",
        "a.a@",
        "+49 ",
        "www.",
        "nvxcanary",
    ):
        text = piece * (6_000 // len(piece))
        readers: list[Callable[[str], object]] = [mask_cards, mask_contacts, owners_of]
        for read in (*readers, Links(hosts=["acme.example"]).feed):
            read(text)
    assert time.process_time() - begun < 12
