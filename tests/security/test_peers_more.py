"""More of what went wrong in products like this one, each tried on our own doors; see `test_peers`."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.mail import EmailMessage
from django.test import Client
from pytest_django import Settings

from agents.models import Agent
from chat import conversations, mails, protocol, tokens, turns
from chat.models import Channel, Conversation, Message, MessageState, Visitor
from knowledge.fetching import FetchRefused, fetch
from knowledge.models import Source
from netvexa.lib.errors import AppError
from tenants.context import in_tenant, platform
from tenants.keys import Scope
from tenants.models import Role, User, Workspace
from tests.isolation.matrix import client_at
from tests.isolation.world import World, digest_of
from tests.plugins.integrators import at_host, new_key
from tests.plugins.people import add_member, client_of
from tests.security.trap import Trap

pytestmark = pytest.mark.django_db
KEPT_BY_USE = {"public.billing_usagebucket", "public.billing_usageentry", "public.tenants_session"}
INSIDE = "http://169.254.169.254/latest/meta-data/"


@pytest.mark.parametrize(
    "host",
    [
        "[64:ff9b::a9fe:a9fe]",
        "[2002:7f00:1::]",
        "[2001::1]",
        "[fd00:ec2::254]",
        "[::]",
        "100.64.0.1",
        "192.0.0.192",
        "224.0.0.1",
        "0.0.0.0",  # noqa: S104  an address that is tried, not one to listen at
    ],
)
def test_plane_ghsa_6485_m23r_fx8q_no_way_of_writing_leads_inside(host: str) -> None:
    """NAT64, 6to4, Teredo, carrier-grade NAT: what Python's own list calls global."""
    with pytest.raises(AppError):
        fetch(f"http://{host}/")


def test_plane_ghsa_6485_m23r_fx8q_a_change_is_guarded_like_the_making(acme: World) -> None:
    api = at_host(acme.workspace, acme.key.secret)

    assert api.patch(f"sources/{acme.ids['source']}/", {"url": INSIDE}).status_code == 400
    with in_tenant(acme.workspace):
        assert Source.objects.get(pk=acme.ids["source"]).url == ""


@pytest.mark.parametrize("url", [INSIDE, "http://localhost:6379/", "http://[::1]/"])
def test_dify_cve_2025_56520_and_chainlit_cve_2026_22219_what_a_customer_names_is_not_fetched_inside(
    url: str, acme: World
) -> None:
    answer = at_host(acme.workspace, acme.key.secret).post(
        "sources/preview/", {"kind": "site", "url": url, "scope": {}}
    )

    assert 400 <= answer.status_code < 500


@pytest.mark.parametrize(
    "location", ["javascript:alert(1)", "data:text/html,x", "file:///etc/passwd", INSIDE]
)
def test_dify_cve_2026_85021_no_server_sends_us_on_to_what_is_no_page(
    location: str, trap: Trap, settings: Settings
) -> None:
    settings.FETCH_PRIVATE_HOSTS = ["localhost"]
    trap.location = location

    with pytest.raises(FetchRefused):
        fetch(f"http://localhost:{trap.server_port}/moved")

    assert trap.asked == ["/moved"]


def test_chatwoot_cve_2021_3742_a_picture_fetches_nothing(acme: World, trap: Trap) -> None:
    """Neither where a picture is drawn from words that name another, nor where an address stands for one."""
    drawn = f'<svg xmlns="http://www.w3.org/2000/svg"><image href="{trap.url}"/></svg>'.encode()
    browser = client_of(acme.workspace, acme.user)
    given = {"name": "Ada", "email": acme.user.email}

    for name, kind in (("face.svg", "image/svg+xml"), ("face.png", "image/png")):
        picture = SimpleUploadedFile(name, drawn, kind)
        assert browser.post("/account/", {**given, "picture": picture}).status_code == 422
    browser.post("/account/", {**given, "picture": trap.url})
    with platform():
        assert not User.objects.get(pk=acme.user.pk).avatar
    assert trap.asked == []


@pytest.mark.parametrize("method", ["get", "options", "post"])
def test_dify_cve_2025_63388_no_answer_is_for_another_sites_script_and_its_readers_cookies(
    method: str, acme: World
) -> None:
    """The widget's addresses are for other sites, and know their visitor by a token alone."""
    evil, public_id = "https://evil.example", acme.agent.public_id
    widget = [f"/widget/{name}/{public_id}/" for name in ("data", "upload")]
    widget += [f"/widget/config/{public_id}.json", f"/widget/avatar/{public_id}"]
    ours = [
        "/",
        "/log-in/",
        "/settings/",
        "/api/v1/",
        "/api/v1/agents/",
        "/api/v1/auth/token/",
        "/api/v1/schema/",
    ]
    browser = client_at(acme.host, session=acme)

    for path in widget + ours:
        answer = getattr(browser, method)(path, headers={"origin": evil})
        assert "Access-Control-Allow-Credentials" not in answer.headers, path
        if path in ours:
            assert "Access-Control-Allow-Origin" not in answer.headers, path
    assert browser.get(widget[0], headers={"origin": evil}).status_code == 401


@pytest.mark.parametrize("url", ["javascript:alert(1)", "data:text/html,x", "vbscript:x"])
def test_dify_cve_2025_58747_no_address_is_a_program(url: str, acme: World) -> None:
    api, agent = at_host(acme.workspace, acme.key.secret), str(acme.agent.pk)

    assert api.post("sources/", {"agent": agent, "kind": "url", "url": url}).status_code == 400
    exact = {"agent": agent, "questions": ["Where?"], "answer": "Here.", "link": url}
    assert api.post("curated-answers/", exact).status_code == 400


def test_dify_cve_2026_28288_nobody_learns_who_has_an_account(workspace: Workspace) -> None:
    def tried(email: str) -> tuple[int, str]:
        answer = Client(headers={"host": "localhost"}).post(
            "/log-in/", {"email": email, "password": "wrong horse"}
        )
        page = answer.content.decode()
        return answer.status_code, page[page.find("<form") :].partition("csrfmiddlewaretoken")[0]

    assert tried("owner@acme.example") == tried("nobody@acme.example")


def test_chattermate_cve_2026_24399_a_visitor_writes_no_program_for_the_team(acme: World) -> None:
    with in_tenant(acme.workspace):
        Message.objects.update(text="<img src=x onerror=alert(1)>")
        Visitor.objects.update(name="<svg/onload=alert(2)>")

    page = client_of(acme.workspace, acme.user).get(f"/conversations/{acme.ids['conversation']}/")

    text = page.content.decode()
    assert "onerror=alert(1)&gt;" in text
    assert "<img src=x" not in text
    assert "<svg/onload" not in text


def test_hijiffy_cve_2026_4262_a_conversation_is_not_opened_by_its_id(acme: World) -> None:
    hello = protocol.Hello(conversation=acme.ids["conversation"])
    with in_tenant(acme.workspace):
        opened = conversations.open_for(acme.agent, hello, visitor_id=uuid4(), channel=Channel.WIDGET)

    assert opened.door.conversation_id != acme.ids["conversation"]
    assert not opened.exists


def test_hijiffy_cve_2026_4263_a_visitors_token_is_its_agents(acme: World, rival: World) -> None:
    with in_tenant(acme.workspace), pytest.raises(tokens.BadToken):
        tokens.visitor_of(rival.visitor_token, agent=acme.agent)


def test_onyx_cve_2026_42276_nobody_stops_anothers_answer(acme: World) -> None:
    with in_tenant(acme.workspace):
        Message.objects.filter(pk=acme.ids["message"]).update(state=MessageState.WRITING, writer="p.1")
        other = Conversation.objects.create(agent=acme.agent, visitor=Visitor.objects.create())

        assert turns.writer_of(acme.ids["message"], acme.ids["conversation"]) == "p.1"
        assert turns.writer_of(acme.ids["message"], other.pk) is None


def test_dify_cve_2026_41947_nobody_sets_where_another_workspaces_answers_go(
    acme: World, rival: World
) -> None:
    browser = client_of(acme.workspace, acme.user)

    for part in ("settings/", "widget/look/", "widget/identity/exchange/", "delete/", "active/"):
        assert browser.post(f"/agents/{rival.agent.pk}/{part}", {"name": "Mine"}).status_code == 404
    with in_tenant(rival.workspace):
        assert Agent.objects.get(pk=rival.agent.pk).name == "face-rival"


def test_open_webui_cve_2026_109284_no_copy_or_restoring_writes_into_anothers(
    acme: World, rival: World
) -> None:
    """What makes something out of something: an id of another workspace's in the address or in a field."""
    api, browser = at_host(acme.workspace, acme.key.secret), client_of(acme.workspace, acme.user)
    theirs, agent = rival.ids, str(acme.agent.pk)
    before = digest_of(rival)
    tried = [
        api.post(f"versions/{theirs['version']}/restore/"),
        api.post(f"versions/{theirs['version']}/publish/"),
        api.put(f"sources/{theirs['source']}/content/", {"text": "Mine"}),
        api.post(f"messages/{theirs['message']}/replay/"),
        api.post(
            "documents/", {"agent": str(rival.agent.pk), "external_id": "1", "title": "A", "content": "B"}
        ),
        browser.post(f"/improve/agents/{agent}/tests/from/{theirs['message']}/"),
        browser.post(f"/knowledge/documents/{theirs['document']}/versions/1/restore/"),
        browser.post(f"/agents/{rival.agent.pk}/widget/look/", {"colour": "#000000"}),
    ]

    assert {answer.status_code for answer in tried} <= {400, 404}
    assert digest_of(rival) == before


def test_livehelperchat_cve_2026_27954_who_may_not_reply_acts_on_no_conversation(acme: World) -> None:
    """An operator without the right for a chat closed, took and read it; roles and scopes stand before each act."""
    viewer = client_of(acme.workspace, add_member(acme.workspace, "ada@acme.example", Role.VIEWER))
    reader = at_host(acme.workspace, new_key(acme.workspace, Scope.READ_CONVERSATIONS).secret)
    stranger = at_host(acme.workspace, new_key(acme.workspace, Scope.WRITE_AGENTS).secret)
    place, before = f"conversations/{acme.ids['conversation']}", digest_of(acme)

    for act in ("reply", "take-over", "hand-back", "close"):
        assert viewer.post(f"/{place}/{act}/", {"text": "Hello"}).status_code == 403
        for api in (reader, stranger):
            assert api.post(f"{place}/{act}/", {"text": "Hello"}).status_code == 403
    assert viewer.post(f"/{place}/delete/").status_code == 403
    assert stranger.get(f"{place}/").status_code == 403
    after = digest_of(acme)
    assert {name for name in before if before[name] != after[name]} <= KEPT_BY_USE


def test_zulip_cve_2023_28623_no_made_up_invitation_makes_a_member(workspace: Workspace) -> None:
    outside = Client(headers={"host": "localhost"})
    person = {"name": "Eve", "email": "eve@evil.example", "password": "correct horse battery staple"}

    for token in ("null", "0", "made-up", "%00"):
        assert outside.post(f"/invitations/{token}/", person).status_code in (404, 410)
    assert not User.objects.filter(email="eve@evil.example").exists()


def test_no_name_brings_a_header_into_a_mail(acme: World, mailoutbox: list[EmailMessage]) -> None:
    with in_tenant(acme.workspace):
        Agent.objects.update(name="Mia\r\nBcc: eve@evil.example")
        mails.lead(acme.ids["lead"])

    (mail,) = mailoutbox
    assert "Bcc" not in mail.message()
    assert mail.recipients() == [acme.user.email]


def test_no_depth_of_nesting_breaks_a_reader_of_json(acme: World) -> None:
    """A body, or the head of a token, that is nothing but brackets: a refusal, and never a fault of the server."""
    deep = "[" * 50_000
    head = urlsafe_b64encode(b"[" * 5_000).decode().rstrip("=")
    api = client_at(acme.host, bearer=acme.key.secret)
    nested = client_at(acme.host, bearer=f"{head}.{head}.{head}")

    for path in ("agents/", "sources/", "auth/revoke/", f"agents/{acme.agent.pk}/messages/"):
        assert api.post(f"/api/v1/{path}", deep, "application/json").status_code == 400
    assert nested.get("/api/v1/agents/").status_code == 401
    assert client_at(acme.host).post("/api/v1/auth/token/", deep, "application/json").status_code == 400
