"""Pages are fetched from the public web only, and no server can hold us or fill us up."""

from __future__ import annotations

import socket
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from pytest_django import Settings

from knowledge import fetching
from knowledge.fetching import (
    FetchError,
    FetchRefused,
    FetchTooLarge,
    FetchTypeUnsupported,
    PageMissing,
    check_address,
    fetch,
)
from knowledge.scope import canonical
from netvexa.lib.hosts import shown_address
from tests.knowledge import files
from tests.knowledge.conftest import WebServer
from tests.knowledge.website import running_website


@pytest.fixture
def localhost_allowed(settings: Settings) -> None:
    """The operator allows this one private host."""
    settings.FETCH_PRIVATE_HOSTS = ["localhost"]


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "127.0.0.1",
        "127.1",
        "2130706433",
        "0x7f000001",
        "0177.0.0.1",
        "0.0.0.0",  # noqa: S104  to be refused
        "10.0.0.7",
        "172.16.3.4",
        "192.168.1.1",
        "100.64.0.1",
        "169.254.169.254",
        "192.0.0.192",
        "192.88.99.1",
        "198.18.0.1",
        "224.0.0.1",
        "255.255.255.255",
        "[::1]",
        "[::]",
        "[::127.0.0.1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:0:127.0.0.1]",
        "[64:ff9b::a9fe:a9fe]",
        "[64:ff9b:1::7f00:1]",
        "[2002:7f00:1::]",
        "[2001:0:1::1]",
        "[fc00::1]",
        "[fd00:ec2::254]",
        "[fe80::1]",
        "[fec0::1]",
        "[ff02::1]",
    ],
)
def test_no_address_that_is_not_public_is_fetched(host: str) -> None:
    with pytest.raises(FetchRefused):
        fetch(f"http://{host}/")


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd",
        "ftp://example.com/x",
        "gopher://example.com",
        "javascript:alert(1)",
        "//example.com",
        "http://",
        "http://user:secret@example.com/",
        "http://example.com:99999/",
        "example.com",
    ],
)
def test_only_web_addresses_without_credentials_are_accepted(url: str) -> None:
    with pytest.raises(FetchRefused):
        fetch(url)


def test_ports_of_other_services_are_refused() -> None:
    with pytest.raises(FetchRefused):
        fetch("http://93.184.216.34:6379/")


def test_a_name_with_a_public_and_a_private_address_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (ip, 80)) for ip in ("93.184.216.34", "10.0.0.1")]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_args, **_kwargs: answers)
    with pytest.raises(FetchRefused):
        fetch("http://example.com/")


def test_a_name_cannot_be_rebound_between_check_and_connection(
    monkeypatch: pytest.MonkeyPatch, web: WebServer
) -> None:
    """The second look-up would lead to our own server; there must be none, and nothing may arrive there."""
    asked: list[str] = []

    def answer(host: str, port: Any, *_args: Any, **_kwargs: Any) -> list[Any]:
        asked.append(str(host))
        ip = "203.0.114.1" if len(asked) == 1 else "127.0.0.1"
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (ip, 8080))]

    monkeypatch.setattr(fetching, "DEADLINE", 1.0)
    monkeypatch.setattr(socket, "getaddrinfo", answer)
    with pytest.raises(FetchError):
        fetch("http://rebound.example:8080/page")
    assert asked.count("rebound.example") == 1
    assert "127.0.0.1" not in asked


def _names_lead_to(monkeypatch: pytest.MonkeyPatch, ip: str, *, port: int) -> list[str]:
    """Every name leads there; returns the names that were asked for, as they come."""
    asked: list[str] = []

    def answer(host: str | bytes, *_args: Any, **_kwargs: Any) -> list[Any]:
        asked.append(host.decode() if isinstance(host, bytes) else host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (ip, port))]

    monkeypatch.setattr(socket, "getaddrinfo", answer)
    return asked


@pytest.mark.parametrize("host", ["☃.example", "bü..example", f"{'ü' * 64}.example"])
def test_what_can_be_no_name_is_refused_at_once(host: str) -> None:
    with pytest.raises(FetchRefused):
        check_address(f"https://{host}/")


def test_one_host_has_one_spelling_and_is_shown_in_its_own_letters() -> None:
    assert canonical("https://MÜNCHEN.example/ä") == canonical("https://xn--mnchen-3ya.example/%C3%A4")
    assert canonical("https://a.example/x;jsessionid=1A?PHPSESSID=2&a=3") == "https://a.example/x?a=3"
    assert shown_address("https://www.xn--mnchen-3ya.example:8443/a") == "https://www.münchen.example:8443/a"
    assert shown_address("https://xn--0.example/") == "https://xn--0.example/"


@pytest.mark.usefixtures("localhost_allowed")
class TestFromAHostThatIsAllowed:
    def test_a_page_comes_with_its_charset(self, web: WebServer) -> None:
        page = fetch(web.url("page"))
        assert page.content == files.HTML.encode()
        assert (page.content_type, page.charset) == ("text/html", "utf-8")

    def test_redirects_are_followed_on_the_host_itself(self, web: WebServer) -> None:
        assert fetch(web.url("moved")).url.endswith("/page")

    @pytest.mark.parametrize(
        "host", ["bücher.example", "BÜCHER.example", "xn--bcher-kva.example", "www.xn--bcher-kva.example"]
    )
    def test_a_name_in_other_letters_is_asked_for_in_ascii(
        self, monkeypatch: pytest.MonkeyPatch, web: WebServer, settings: Settings, host: str
    ) -> None:
        settings.FETCH_PRIVATE_HOSTS = [host.lower()]
        asked = _names_lead_to(monkeypatch, "127.0.0.1", port=web.server_port)
        page = fetch(f"http://{host}:{web.server_port}/moved")
        assert page.content == files.HTML.encode()
        assert page.url.partition("//")[2].startswith(
            ("xn--bcher-kva.example:", "www.xn--bcher-kva.example:")
        )
        assert set(asked) <= {"xn--bcher-kva.example", "www.xn--bcher-kva.example", "127.0.0.1"}

    @pytest.mark.parametrize("host", ["bücher.example", "xn--bcher-kva.example", "straße.example"])
    def test_a_name_in_other_letters_may_not_lead_to_a_private_address(
        self, monkeypatch: pytest.MonkeyPatch, host: str
    ) -> None:
        _names_lead_to(monkeypatch, "127.0.0.1", port=80)
        with pytest.raises(FetchRefused, match="public"):
            fetch(f"http://{host}/")

    def test_a_redirect_to_loopback_is_refused(self, web: WebServer) -> None:
        with pytest.raises(FetchRefused):
            fetch(web.url("away"))

    def test_a_redirect_without_end_is_given_up(self, web: WebServer) -> None:
        with pytest.raises(FetchError, match="without end"):
            fetch(web.url("round"))

    def test_a_gigabyte_is_cut_off_at_the_limit(self, web: WebServer, settings: Settings) -> None:
        settings.MAX_UPLOAD_BYTES = 2 * 1024 * 1024
        with pytest.raises(FetchTooLarge, match="2 MB"):
            fetch(web.url("endless"))
        assert web.sent < 64

    def test_a_packed_bomb_is_cut_off_at_the_limit(self, web: WebServer) -> None:
        with pytest.raises(FetchTooLarge):
            fetch(web.url("bomb"))

    def test_a_packed_page_that_breaks_off_is_no_page(self, web: WebServer) -> None:
        with pytest.raises(FetchError, match="broke off"):
            fetch(web.url("half"))

    def test_a_file_that_nobody_named_is_read(self, web: WebServer) -> None:
        assert fetch(web.url("stored")).content.startswith(b"%PDF-")

    def test_a_server_that_trickles_is_given_up_in_time(self, web: WebServer) -> None:
        with pytest.raises(FetchError, match="did not answer within"):
            fetch(web.url("slow"), deadline=1.0)

    @pytest.mark.parametrize(
        ("path", "error", "again"),
        [
            ("missing", PageMissing, False),
            ("broken", FetchError, True),
            ("image", FetchTypeUnsupported, False),
        ],
    )
    def test_an_answer_that_is_no_page_says_whether_trying_again_helps(
        self, web: WebServer, path: str, error: type[FetchError], again: bool
    ) -> None:
        with pytest.raises(error) as raised:
            fetch(web.url(path))
        assert raised.value.permanent is not again


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """Of localhost, signed by itself, with its key in the same file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    plain = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    path = tmp_path / "localhost.pem"
    path.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, *plain) + made.public_bytes(serialization.Encoding.PEM)
    )
    return path


@pytest.mark.usefixtures("localhost_allowed")
def test_a_server_is_read_only_where_its_certificate_is_trusted(
    certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fetching._trusted.cache_clear()
    with running_website() as site:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        site.socket = context.wrap_socket(site.socket, server_side=True)
        site.page("/", "We sell lamps.")
        url = site.url().replace("http:", "https:")
        with pytest.raises(FetchError, match="certificate is not valid"):
            fetch(url)
        fetching._trusted.cache_clear()
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        assert [b"lamps" in fetch(url).content for _ in range(2)] == [True, True]
    fetching._trusted.cache_clear()
