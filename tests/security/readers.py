"""Every reader of what strangers send and every verifier of what they show, each with honest inputs to start from.

A reader takes bytes and reads them or raises AppError. A verifier takes a text, and returns what it holds or None;
what comes of a changed text has to be nothing, or what was signed.
"""

from __future__ import annotations

import hashlib
import hmac
import io
import json
import random
import time
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from uuid import UUID

import docx
import jwt
from django.contrib.auth.tokens import default_token_generator
from django.core import signing
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import RequestFactory
from PIL import Image
from pptx import Presentation
from protego import Protego
from rest_framework_simplejwt.tokens import AccessToken, RefreshToken, Token
from webauthn.helpers import bytes_to_base64url
from webauthn.registration.verify_registration_response import VerifiedRegistration

from agents.models import Agent
from agents.providers import anthropic, chat_model, google, openai
from agents.publishing import opened_preview, preview_ticket
from billing import webhooks
from chat import attachments, protocol, tokens
from chat.protocol import Identity
from knowledge.parsing import archive, parse, parser_for, sitemap
from knowledge.parsing.limits import Limits
from knowledge.parsing.ocr_pages import picture_of
from knowledge.parsing.sniff import MediaType, sniff
from netvexa.lib import sealing
from netvexa.lib.pictures import check_picture
from tenants import confirmation, email_change, handover, passkeys
from tenants import tokens as api_tokens
from tenants.keys import _secret, is_well_formed
from tenants.models import Passkey, User, Workspace
from tests.accounts.authenticator import Authenticator
from tests.knowledge import files
from tests.security.mutation import mutated, mutated_package, packed
from tests.stripe_fake.webhooks import signature

WORD = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
KEPT_STYLES = {"Normal", "Title", "Heading1", "ListBullet", "TableNormal", "DefaultParagraphFont"}
WITHOUT_OCR = Limits(ocr_seconds=0)  # what is drawn on a page is read by a model, which takes seconds
Make = Callable[[random.Random], bytes]
Read = Callable[[bytes], object]


@dataclass(frozen=True)
class Reader:
    """`make` gives an input for the dice that are thrown."""

    make: Make
    read: Read


def _from(*seeds: bytes) -> Make:
    return lambda dice: mutated(seeds, dice)


def _package(data: bytes) -> Make:
    with zipfile.ZipFile(io.BytesIO(data)) as package:
        members = {
            name: b"" if name.startswith(UNREAD) else package.read(name) for name in package.namelist()
        }
    return lambda dice: mutated_package(members, dice)


def _letter() -> bytes:
    """The Word document, without the hundreds of styles that none of its paragraphs has."""
    document = docx.Document(io.BytesIO(files.word()))
    styles = document.styles.element
    for style in list(styles):
        if style.get(f"{WORD}styleId") not in KEPT_STYLES and style.tag != f"{WORD}docDefaults":
            styles.remove(style)
    held = io.BytesIO()
    document.save(held)
    return held.getvalue()


def _deck() -> bytes:
    """The slides, without the layouts that none of them uses."""
    deck = Presentation(io.BytesIO(files.slides()))
    for layout in list(deck.slide_layouts):
        if not layout.used_by_slides:
            deck.slide_layouts.remove(layout)
    held = io.BytesIO()
    deck.save(held)
    return held.getvalue()


def _parser(kind: MediaType) -> Read:
    return lambda data: parser_for(kind)(data, limits=WITHOUT_OCR)


PAGES = (
    files.HTML.encode(),
    b'<html lang=de><body><article><h2 id=a>A</h2><p>B<br>C<a href="/x?y#z">D</a></p></article></body></html>',
    b"<table><thead><tr><th rowspan=2>A<th colspan=9>B<tbody><tr><td><table><tr><td>C</table></table>",
    b'<script type="application/ld+json">{"@type":"FAQPage","mainEntity":[{"name":"A?"}]}</script><p>A',
)
FRAMES = tuple(
    json.dumps(frame).encode()
    for frame in (
        {
            "type": "hello",
            "visitor": "v",
            "last_seq": 3,
            "page": {"url": "https://a.example"},
            "context": {"plan": "x"},
        },
        {"type": "hello", "identity": {"user_id": "1", "hash": "ab", "expires": 1}, "locale": "de"},
        {
            "type": "message",
            "client_id": str(UUID(int=1)),
            "text": "Hello",
            "attachments": [str(UUID(int=2))],
        },
        {"type": "feedback", "message": str(UUID(int=1)), "value": 1, "comment": "Good"},
        {"type": "lead", "fields": {"name": "Ada", "email": "ada@acme.example"}},
        {"type": "rating", "score": 5, "comment": "Good"},
        {"type": "read", "seq": 4},
    )
)
SITEMAP = b'<?xml version="1.0"?><urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"><url><loc>https://a.example/b</loc></url></urlset>'
EVENTS = (
    b'data: {"choices":[{"delta":{"content":"Hello"},"finish_reason":null}],"usage":{"prompt_tokens":3}}',
    b'data: {"type":"content_block_delta","delta":{"type":"text_delta","text":"Hello"}}',
    b'data: {"candidates":[{"content":{"parts":[{"text":"Hello"}]}}],"usageMetadata":{"promptTokenCount":3}}',
)
QUESTIONS = b'[{"question":"Do you deliver?","answer":"Yes.","alternatives":["Is there delivery?"]}]'
ARCHIVE = {
    "a/terms.md": files.MARKDOWN.encode(),
    "b.csv": b"a,b\n1,2\n",
    "c.docx": packed({"word/document.xml": b"<a/>"}),
}
ROBOTS = (
    b"User-agent: *\nCrawl-delay: 2\nDisallow: /a*b$\nAllow: /a\nSitemap: https://a.example/sitemap.xml\n"
)


def _robots(data: bytes) -> object:
    rules = Protego.parse(data.decode("utf-8", "replace"))
    return (
        rules.can_fetch("https://a.example/a?b", "NETVEXA"),
        list(rules.sitemaps),
        rules.crawl_delay("NETVEXA"),
    )


def _event(data: bytes) -> object:
    return [
        chat_model._read(vendor(), [data]) for vendor in (openai._Reader, anthropic._Reader, google._Reader)
    ]


def _pictures() -> list[bytes]:
    """Small ones: a large picture is unpacked by the same code, only longer."""
    found = []
    for kind in ("PNG", "JPEG"):
        held = io.BytesIO()
        Image.effect_noise((40, 30), 90).save(held, kind)
        found.append(held.getvalue())
    return found


LISTS = b"* a\n  1. b\n\n> c\n\n    d\n\n[e][1]\n\n[1]: /f\n"
TEXTS = b"Terms\n=====\n\n1. Returns\n\nWithin 30 days.\n", "Größe\r\n\tein".encode("latin-1")
TABLES = b'name;price\n"A ""b""";1,5\n', b"a,b\n1,2\n", b"a\tb\n1\t2\n"
RECORDS = b'{"title":"A","rows":[{"a":1,"b":[2,3]},{"a":null}],"c":{"d":{"e":1.5}}}', b'{"a":1}\n{"a":2}\n'
LISTED = b"https://a.example/b\nhttps://a.example/c\n"
UNREAD = (
    "docProps/thumbnail",
    "word/theme",
    "xl/theme",
    "ppt/theme",
    "ppt/printer",
)  # large, and nobody's text


def _anything() -> Make:
    return _from(files.pdf(pages=1), files.word()[:4000], *PAGES, *_pictures())


def _scans() -> Make:
    return _from(files.pdf(pages=2), files.scan(["Lamps are sent"], text="Terms"))


def _as_avatar(data: bytes) -> object:
    return check_picture(SimpleUploadedFile("face", data))


# Made when they are asked for: some of the honest files take a while.
READERS: dict[str, Callable[[], Reader]] = {
    "frame": lambda: Reader(_from(*FRAMES), lambda data: protocol.parse(data.decode("utf-8", "replace"))),
    "event of a model": lambda: Reader(_from(*EVENTS), _event),
    "pdf": lambda: Reader(_scans(), _parser(MediaType.PDF)),
    "docx": lambda: Reader(_package(_letter()), _parser(MediaType.DOCX)),
    "pptx": lambda: Reader(_package(_deck()), _parser(MediaType.PPTX)),
    "xlsx": lambda: Reader(_package(files.workbook()), _parser(MediaType.XLSX)),
    "epub": lambda: Reader(_package(files.book()), _parser(MediaType.EPUB)),
    "archive": lambda: Reader(
        lambda dice: mutated_package(ARCHIVE, dice), partial(archive.unpack, largest=20_000_000)
    ),
    "html": lambda: Reader(_from(*PAGES), lambda data: parse(data, name="a.html")),
    "markdown": lambda: Reader(_from(files.MARKDOWN.encode(), LISTS), _parser(MediaType.MARKDOWN)),
    "text": lambda: Reader(_from(*TEXTS), _parser(MediaType.TEXT)),
    "csv": lambda: Reader(_from(*TABLES), _parser(MediaType.CSV)),
    "json": lambda: Reader(_from(*RECORDS), _parser(MediaType.JSON)),
    "questions": lambda: Reader(_from(QUESTIONS), _parser(MediaType.QUESTIONS)),
    "picture": lambda: Reader(_from(*_pictures()), picture_of),
    "avatar": lambda: Reader(_from(*(one[:200] for one in _pictures())), _as_avatar),
    "any file": lambda: Reader(_anything(), lambda data: sniff(data, name="a.txt")),
    "sitemap": lambda: Reader(_from(SITEMAP, LISTED), sitemap.read),
    "robots.txt": lambda: Reader(_from(ROBOTS), _robots),
}


# Verifiers

NOWHERE = Workspace(pk=UUID(int=1), key="nowhere")
PERSON = User(pk=UUID(int=2), email="ada@acme.example", password="kept", last_login=None)
SECRET = "a secret that the agent and its site share"
AGENT = Agent(public_id="nowhere-agent", identity_secret=SECRET)


@dataclass(frozen=True)
class Verifier:
    """`seeds` are texts that are good but for what only the database knows; `read` says what a text holds.

    With `holds`, a text that was changed may still be good, as base64 is read in more ways than one: then it holds
    what a seed held, and nothing else.
    """

    seeds: tuple[str, ...]
    read: Callable[[str], object]
    holds: bool = False


PROOF = hmac.new(SECRET.encode(), f"ada.{2**33}".encode(), hashlib.sha256).hexdigest()


def _signed(salt: str, value: object, read: Callable[[str], object], *, compress: bool = False) -> Verifier:
    return Verifier((signing.dumps(value, salt=salt, compress=compress),), read)


def _proven(text: str) -> object:
    found = tokens.proven(Identity("ada", text, expires=2**33), agent=AGENT)
    return found.user_id, found.hash.lower()


def _vouched(identity: Identity) -> object:
    found = tokens.proven(identity, agent=AGENT)
    return found.user_id, found.email, found.expires


def _api_token(kind: type[Token]) -> Verifier:
    token = kind()
    token["aud"], token["grant"] = str(NOWHERE.pk), str(UUID(int=3))
    return Verifier((str(token),), lambda text: api_tokens._decoded(kind, text, NOWHERE).payload, holds=True)


PASSKEY_HOST = "acme.localhost"
CHALLENGE = b"c" * 32


def _new_passkey() -> tuple[Authenticator, str, Callable[[str], VerifiedRegistration]]:
    key, request = Authenticator(), RequestFactory(headers={"host": PASSKEY_HOST}).get("/")
    made = key.make({"challenge": bytes_to_base64url(CHALLENGE), "rp": {"id": PASSKEY_HOST}})
    return key, made, lambda text: passkeys._made(request, passkeys._read(text), CHALLENGE)


def _making_a_passkey() -> Verifier:
    """A changed answer may well be a passkey, of another key: nothing vouches for those (`fmt: none`)."""
    _, made, read = _new_passkey()
    return Verifier((made,), lambda text: read(text) and None)


def _proving_by_passkey() -> Verifier:
    key, made, read = _new_passkey()
    request = RequestFactory(headers={"host": PASSKEY_HOST}).get("/")
    row = Passkey(rp_id=PASSKEY_HOST, public_key=read(made).credential_public_key)
    proof = key.prove({"challenge": bytes_to_base64url(CHALLENGE), "rpId": PASSKEY_HOST})
    return Verifier(
        (proof,), lambda text: passkeys._signed(request, row, passkeys._read(text), CHALLENGE), holds=True
    )


def _password_reset() -> Verifier:
    token = default_token_generator.make_token(PERSON)
    return Verifier((token,), lambda text: default_token_generator.check_token(PERSON, text) or None)


def _site_token() -> Verifier:
    claims = {"sub": "ada", "email": "ada@acme.example", "exp": int(time.time()) + 36_000}
    token = jwt.encode(claims, SECRET, algorithm="HS256")
    return Verifier((token,), lambda text: _vouched(Identity(token=text)), holds=True)


def _stripe() -> Verifier:
    header = signature("whsec_a", b"{}", at=int(time.time()) + 36_000)
    return Verifier((header,), lambda text: webhooks.is_signed(b"{}", text, "whsec_a") or None, holds=True)


HANDED = {"u": str(PERSON.pk), "w": str(NOWHERE.pk), "l": "l", "d": "", "p": "/", "n": "n"}
ASKED, CHANGED = {"u": str(PERSON.pk), "e": PERSON.email}, {"c": str(UUID(int=6)), "s": "old"}

VERIFIERS: dict[str, Callable[[], Verifier]] = {
    "visitor's token": lambda: Verifier(
        (tokens.visitor_token(UUID(int=4), agent=AGENT),), lambda text: tokens.visitor_of(text, agent=AGENT)
    ),
    "proof of identity": lambda: Verifier((PROOF,), _proven, holds=True),
    "site's token": _site_token,
    "access token": lambda: _api_token(AccessToken),
    "refresh token": lambda: _api_token(RefreshToken),
    "API key": lambda: Verifier((_secret(),), lambda text: is_well_formed(text) or None),
    "preview's ticket": lambda: Verifier(
        (preview_ticket(AGENT, audience="x"),), lambda text: opened_preview(text, AGENT.public_id)
    ),
    "file's link": lambda: _signed(attachments._LINK, ["nowhere", UUID(int=5).hex], attachments.of_ticket),
    "hand-over": lambda: _signed(
        handover._SALT, HANDED, lambda text: handover.redeem(text, NOWHERE), compress=True
    ),
    "confirmation": lambda: _signed(confirmation._SALT, ASKED, confirmation.confirm),
    "change of address": lambda: _signed(email_change._SALT, CHANGED, email_change.find),
    "new password": _password_reset,
    "sealed secret": lambda: Verifier(
        (sealing.seal("word", purpose="a", owner="b"),),
        lambda text: sealing.unseal(text, purpose="a", owner="b"),
        holds=True,
    ),
    "Stripe's signature": _stripe,
    "passkey": _proving_by_passkey,
    "new passkey": _making_a_passkey,
}
