"""What any site may read of an agent, and how long it may keep it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.conf import settings
from django.core.files.base import ContentFile
from django.test import Client
from django.urls import reverse

from agents.models import Agent
from agents.widget import WIDGET_FILES
from tenants.context import in_tenant, platform
from tenants.models import ProvisioningState, Workspace
from tests.plugins.people import client_of

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 16


@pytest.fixture
def agent(workspace: Workspace) -> Agent:
    with in_tenant(workspace):
        return Agent.objects.create(
            name="Mia",
            greeting="Hello!",
            suggestions=["How long is delivery?"],
            colour="#0f766e",
            position="left",
            instructions="Never mention the warehouse.",
            contact_email="team@acme.example",
            allowed_origins=["https://www.acme.example"],
        )


def change(workspace: Workspace, agent: Agent, **fields: Any) -> None:
    with in_tenant(workspace):
        Agent.objects.filter(pk=agent.pk).update(**fields)


def path_of(public_id: str) -> str:
    return f"/widget/config/{public_id}.json"


def root_client() -> Client:
    return Client(headers={"host": settings.ROOT_HOST})


def test_anybody_reads_how_the_agent_looks_and_where_it_talks(
    agent: Agent, anonymous_client: Client, workspace: Workspace
) -> None:
    response = anonymous_client.get(path_of(agent.public_id))

    assert response.status_code == 200
    assert response.json() == {
        "agent_id": agent.public_id,
        "name": "Mia",
        "avatar": None,
        "greeting": "Hello!",
        "suggestions": ["How long is delivery?"],
        "theme": {
            "colour": "#0f766e",
            "position": "left",
            "radius": 18,
            "scheme": "auto",
            "launcher": "bubble",
            "launcher_text": "",
            "offset": {"x": 20, "y": 20},
            "font": "system",
        },
        "leads": {"when": "offer"},
        "handoff": True,
        "languages": [],
        "socket": f"ws://{workspace.slug}.{settings.ROOT_URL.removeprefix('http://')}/ws/v1/chat/"
        f"{agent.public_id}/",
        "attachments": None,
        "hours": None,
        "proactive": [],
        "rating": True,
        "transcript": True,
        "privacy_panel": True,
        "privacy_url": None,
        "branding": True,
        "sound": False,
        "strings": {},
    }


def test_nothing_that_is_for_the_team_is_told(agent: Agent, anonymous_client: Client) -> None:
    told = anonymous_client.get(path_of(agent.public_id)).content.decode()

    secrets = (agent.identity_secret, "warehouse", "team@acme.example", "www.acme.example", str(agent.pk))
    for secret in secrets:
        assert secret not in told


def test_every_site_may_read_it_and_keep_it_five_minutes(agent: Agent, anonymous_client: Client) -> None:
    response = anonymous_client.get(path_of(agent.public_id))

    assert response["Access-Control-Allow-Origin"] == "*"
    assert response["Cache-Control"] == "public, max-age=300"
    assert response["Content-Type"] == "application/json"
    assert not response.cookies


def test_what_has_not_changed_is_not_sent_again(agent: Agent, anonymous_client: Client) -> None:
    etag = anonymous_client.get(path_of(agent.public_id))["ETag"]

    again = anonymous_client.get(path_of(agent.public_id), headers={"if-none-match": etag})

    assert again.status_code == 304
    assert again.content == b""
    assert again["ETag"] == etag
    assert again["Access-Control-Allow-Origin"] == "*"


def test_a_change_is_sent_again(agent: Agent, anonymous_client: Client, workspace: Workspace) -> None:
    etag = anonymous_client.get(path_of(agent.public_id))["ETag"]
    change(workspace, agent, greeting="Good morning!")

    again = anonymous_client.get(path_of(agent.public_id), headers={"if-none-match": etag})

    assert again.status_code == 200
    assert again.json()["greeting"] == "Good morning!"


def test_the_public_id_finds_the_workspace_on_every_host(agent: Agent, other_workspace: Workspace) -> None:
    for client in (root_client(), client_of(other_workspace)):
        assert client.get(path_of(agent.public_id)).json()["name"] == "Mia"


def test_paused_unknown_malformed_and_not_ready_look_alike(
    agent: Agent, anonymous_client: Client, workspace: Workspace
) -> None:
    change(workspace, agent, is_active=False)
    paused = anonymous_client.get(path_of(agent.public_id))
    key = agent.public_id.partition("-")[0]
    strange = [f"{key}-aaaaaaaaaaaa", "zzzzzzzzzz-aaaaaaaaaaaa", "nobody", "a-b-c", "%00-a", "a%27--", "é-é"]

    assert paused.status_code == 404
    assert paused["Access-Control-Allow-Origin"] == "*"
    for public_id in strange:
        answer = anonymous_client.get(path_of(public_id))
        assert (answer.status_code, answer.content) == (404, paused.content), public_id

    with platform():
        Workspace.objects.filter(pk=workspace.pk).update(state=ProvisioningState.SUSPENDED)
    suspended = root_client().get(path_of(agent.public_id))
    assert (suspended.status_code, suspended.content) == (404, paused.content)


def test_what_is_switched_off_is_not_offered(
    agent: Agent, anonymous_client: Client, workspace: Workspace
) -> None:
    change(workspace, agent, leads_enabled=False, handoff_enabled=False, language="de")

    given = anonymous_client.get(path_of(agent.public_id)).json()

    assert given["leads"] is None
    assert given["handoff"] is False
    assert given["languages"] == ["de"]


SHOP = "https://www.acme.example"


def seen(workspace: Workspace) -> str:
    with in_tenant(workspace):
        return Agent.objects.get().seen_origin


@pytest.mark.parametrize(
    ("origin", "noted"),
    [(SHOP, SHOP), ("https://evil.example", ""), ("null", ""), ("", ""), ("http://acme.localhost:8000", "")],
)
def test_the_first_page_of_an_own_site_that_loads_it_is_noted(
    agent: Agent, anonymous_client: Client, workspace: Workspace, origin: str, noted: str
) -> None:
    headers = {"origin": origin} if origin else {}
    anonymous_client.get(path_of(agent.public_id), headers=headers)

    assert seen(workspace) == noted


def test_only_reading_is_possible(agent: Agent, anonymous_client: Client) -> None:
    assert anonymous_client.post(path_of(agent.public_id)).status_code == 405


def test_the_picture_is_served_as_the_picture_it_is(
    agent: Agent, anonymous_client: Client, workspace: Workspace
) -> None:
    with in_tenant(workspace):
        agent.avatar.save("mia.png", ContentFile(PNG))
    address = anonymous_client.get(path_of(agent.public_id)).json()["avatar"]

    response = anonymous_client.get(address)

    assert address.startswith(f"http://{workspace.slug}.localhost")
    assert (response.content, response["Content-Type"]) == (PNG, "image/png")
    assert response["X-Content-Type-Options"] == "nosniff"


def test_a_page_uploaded_as_a_picture_is_not_served(
    agent: Agent, anonymous_client: Client, workspace: Workspace
) -> None:
    with in_tenant(workspace):
        agent.avatar.save("mia.png", ContentFile(b"<script>alert(1)</script>"))

    assert anonymous_client.get(f"/widget/avatar/{agent.public_id}").status_code == 404


def test_an_agent_without_a_picture_has_none(agent: Agent, anonymous_client: Client) -> None:
    assert anonymous_client.get(f"/widget/avatar/{agent.public_id}").status_code == 404


V1 = WIDGET_FILES / "v1"
BUILT = sorted(path.relative_to(V1).as_posix() for path in V1.rglob("*") if path.is_file())


@pytest.mark.parametrize("name", BUILT)
def test_a_built_file_is_served_to_every_site(name: str, anonymous_client: Client) -> None:
    response = anonymous_client.get(f"/widget/v1/{name}")

    assert response.status_code == 200
    assert response.content == (V1 / name).read_bytes()
    assert response["Access-Control-Allow-Origin"] == "*"
    if name.endswith(".js"):
        assert response["Content-Type"] == "text/javascript; charset=utf-8"


def test_the_loader_is_looked_up_again_soon_and_hashed_parts_never(anonymous_client: Client) -> None:
    hashed = [name for name in BUILT if name.startswith(("app.", "locales.")) and name != "app.js"]

    loader = anonymous_client.get("/widget/v1/netvexa.min.js")["Cache-Control"]

    assert loader == "public, max-age=300, stale-while-revalidate=86400"
    assert hashed
    for name in hashed:
        assert anonymous_client.get(f"/widget/v1/{name}")["Cache-Control"].endswith("immutable"), name


def test_the_loader_travels_compressed_and_only_once(anonymous_client: Client) -> None:
    first = anonymous_client.get("/widget/v1/netvexa.min.js", headers={"accept-encoding": "gzip, br"})
    given = {"accept-encoding": "gzip, br", "if-none-match": first["ETag"]}

    again = anonymous_client.get("/widget/v1/netvexa.min.js", headers=given)

    assert first["Content-Encoding"] == "gzip"
    assert len(first.content) < (V1 / "netvexa.min.js").stat().st_size / 1.5
    assert again.status_code == 304


def given_to_the_loader(client: Client, public_id: str, version: str = "v1") -> Any:
    """What the loader is called with; everything else of the answer is the loader itself."""
    body = client.get(f"/widget/{version}/netvexa.min.js?agent={public_id}").content
    loader = (V1 / "netvexa.min.js").read_bytes()
    assert body.startswith(b"(function(NVC){" + loader + b"})(")
    return json.loads(body.removeprefix(b"(function(NVC){" + loader + b"})(").removesuffix(b");\n"))


def test_a_loader_that_is_told_its_agent_brings_the_configuration(
    agent: Agent, anonymous_client: Client
) -> None:
    asked = anonymous_client.get(path_of(agent.public_id)).json()

    for version in ("v1", "v2", "beta"):
        assert given_to_the_loader(anonymous_client, agent.public_id, version) == asked


def test_the_page_that_loads_it_is_noted(
    agent: Agent, anonymous_client: Client, workspace: Workspace
) -> None:
    change(workspace, agent, allowed_origins=[])
    path = f"/widget/v1/netvexa.min.js?agent={agent.public_id}"

    for referrer in ("http://[", "https://shop.example/cart?x=1"):
        assert anonymous_client.get(path, headers={"referer": referrer}).status_code == 200

    with in_tenant(workspace):
        assert Agent.objects.get(pk=agent.pk).seen_origin == "https://shop.example"


def test_a_greeting_cannot_become_code(agent: Agent, anonymous_client: Client, workspace: Workspace) -> None:
    change(workspace, agent, greeting='");alert(1)//</script>\u2028')

    assert (
        given_to_the_loader(anonymous_client, agent.public_id)["greeting"] == '");alert(1)//</script>\u2028'
    )


def test_a_loader_of_no_agent_or_a_paused_one_is_told_nothing(
    agent: Agent, anonymous_client: Client, workspace: Workspace
) -> None:
    change(workspace, agent, is_active=False)

    for public_id in (agent.public_id, "nobody", "%27-a"):
        assert given_to_the_loader(anonymous_client, public_id) is None


def test_a_loader_with_a_configuration_is_kept_as_long_as_that_and_not_sent_twice(
    agent: Agent, anonymous_client: Client, workspace: Workspace
) -> None:
    path = f"/widget/v1/netvexa.min.js?agent={agent.public_id}"
    first = anonymous_client.get(path)
    unchanged = anonymous_client.get(path, headers={"if-none-match": first["ETag"]})
    change(workspace, agent, greeting="Good morning!")
    changed = anonymous_client.get(path, headers={"if-none-match": first["ETag"]})

    assert first["Cache-Control"] == "public, max-age=300"
    assert first["Access-Control-Allow-Origin"] == "*"
    assert [unchanged.status_code, changed.status_code] == [304, 200]


def test_the_root_host_serves_it_too() -> None:
    assert root_client().get(reverse("widget:file", args=["v1", "netvexa.min.js"])).status_code == 200


@pytest.mark.parametrize(
    "name",
    [
        "nothing.js",
        "..%2f..%2fcss%2foutage.css",
        "../../css/outage.css",
        "%2e%2e/manifest.json",
        ".",
        "%00.js",
    ],
)
def test_no_name_leads_out_of_the_folder(name: str, anonymous_client: Client) -> None:
    assert anonymous_client.get(f"/widget/v1/{name}").status_code == 404
