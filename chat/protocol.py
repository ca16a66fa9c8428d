"""The frames of protocol v1 (docs/protocol.md): what a client may send, and what it is sent.

Pure: no database, no network. `parse` turns a text into a typed frame or raises; the `*_frame` functions make
what goes out. A frame that changes what is displayed gets its `seq` when it is published (`chat.feed`).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NotRequired, TypedDict
from uuid import UUID

from netvexa.lib.errors import AppError, Invalid

MAX_FRAME_BYTES = 16 * 1024
MAX_TEXT = 4_000
MAX_ATTACHMENTS = 5  # of one message
HELLO_SECONDS = 10.0

Frame = dict[str, Any]
State = Literal["bot", "waiting", "human", "closed"]
Stopped = Literal["visitor", "budget", "length", "error"]
ERROR_CODES = frozenset(
    {"invalid", "too_long", "rate_limited", "quota_exceeded", "not_allowed", "unavailable"}
)
_AS_SAID = {  # errors of other modules, as the protocol's six codes say them
    "not_found": "invalid",
    "trial_over": "quota_exceeded",
    "payment_overdue": "quota_exceeded",
    "limit_reached": "quota_exceeded",
    "workspace_not_ready": "unavailable",
    "no_model_answered": "unavailable",
}


class Close:
    """Why the server closes a socket: plain numbers, since daphne takes no others."""

    RESTART = 1012
    MALFORMED = 4400
    BAD_TOKEN = 4401
    ORIGIN = 4403
    NO_AGENT = 4404
    NO_HELLO = 4408
    TOO_MANY = 4429


class Malformed(AppError):
    """Not a frame at all: the socket is closed."""

    code = "invalid"
    default_detail = "This is not a frame of the chat protocol."


class TooLong(Invalid):
    """A message of more than 4,000 characters."""

    code = "too_long"
    default_detail = "This message is too long: at most 4,000 characters."


class Citation(TypedDict):
    """What an answer rests on; `n` is the mark `[n]` in its text."""

    n: int
    title: str
    url: NotRequired[str]
    snippet: str
    page: NotRequired[str]
    heading: NotRequired[str]
    chunk: NotRequired[str]


class Author(TypedDict):
    """Who wrote a message, as a client shows it."""

    kind: Literal["visitor", "bot", "human", "system"]
    name: NotRequired[str]
    avatar: NotRequired[str]


class AttachmentEntry(TypedDict):
    """A file of a message; `url` is absolute, signed and short-lived."""

    id: str
    name: str
    type: str
    size: int
    url: str


@dataclass(frozen=True)
class Identity:
    """Who the site says the visitor is; `hash` proves it (until `expires`, Unix seconds), or `token`, a JWT."""

    user_id: str = ""
    hash: str = ""
    name: str = ""
    email: str = ""
    expires: int | None = None
    token: str = ""
    audiences: tuple[str, ...] = ()  # out of a signed token only; no frame fills it


@dataclass(frozen=True)
class Page:
    """Where the widget stands."""

    url: str = ""
    title: str = ""
    referrer: str = ""


@dataclass(frozen=True)
class Hello:
    """The first frame."""

    visitor: str = ""
    conversation: UUID | None = None
    last_seq: int | None = None
    identity: Identity | None = None
    page: Page = Page()
    locale: str = ""
    context: dict[str, str | int | float | bool] = field(default_factory=dict)


@dataclass(frozen=True)
class Say:
    """A visitor's message."""

    client_id: UUID
    text: str
    attachments: tuple[UUID, ...] = ()


@dataclass(frozen=True)
class Stop:
    """Stop the answer that is being written."""

    message: UUID


@dataclass(frozen=True)
class Typing:
    """The visitor is typing."""


@dataclass(frozen=True)
class Feedback:
    """Thumbs up (1) or down (-1) on one answer."""

    message: UUID
    value: int
    comment: str = ""


@dataclass(frozen=True)
class Rating:
    """Satisfaction with the whole conversation, 1 to 5."""

    score: int
    comment: str = ""


@dataclass(frozen=True)
class LeaveContact:
    """Contact details the visitor gave."""

    fields: dict[str, str]


@dataclass(frozen=True)
class AskForPerson:
    """The visitor asks for a person."""

    reason: str = ""


@dataclass(frozen=True)
class End:
    """The visitor ends the conversation."""


@dataclass(frozen=True)
class Ping:
    """Answered with `pong`."""


@dataclass(frozen=True)
class Read:
    """Everything up to this number has been seen."""

    seq: int


@dataclass(frozen=True)
class ListConversations:
    """The visitor's own conversations with this agent, please."""


@dataclass(frozen=True)
class MailTranscript:
    """This conversation, by e-mail."""

    email: str


@dataclass(frozen=True)
class Forget:
    """Delete all that is known of the visitor."""


@dataclass(frozen=True)
class Resolved:
    """Whether the conversation has helped."""

    value: bool


ClientFrame = (
    Hello
    | Say
    | Stop
    | Typing
    | Feedback
    | Rating
    | LeaveContact
    | AskForPerson
    | End
    | Ping
    | Read
    | ListConversations
    | MailTranscript
    | Forget
    | Resolved
)


def parse(text: str) -> ClientFrame:
    """Read one frame. Raises Malformed for what is no frame, Invalid or TooLong for one with wrong fields."""
    if len(text) > MAX_FRAME_BYTES or len(text.encode("utf-8", "surrogatepass")) > MAX_FRAME_BYTES:
        raise Malformed("A frame may be 16 KiB at most.")
    try:
        frame = json.loads(text)
    except (ValueError, RecursionError):
        raise Malformed("A frame is one JSON object.") from None
    kind = frame.get("type") if isinstance(frame, dict) else None
    if not isinstance(kind, str):
        raise Malformed("A frame is a JSON object with a type.")
    reader = _READERS.get(kind)
    if reader is None:
        raise Invalid("This type of frame is not known.")
    read: ClientFrame = reader(frame)
    return read


def written_in(frames: Iterable[Frame]) -> dict[str, str]:
    """The text so far of the answers whose `start` and tokens these frames hold, by message."""
    written: dict[str, str] = {}
    for frame in frames:
        if frame["type"] == "start":
            written[frame["message"]] = ""
        elif frame["type"] == "token" and frame["message"] in written:
            written[frame["message"]] += frame["text"]
    return written


def _text(frame: Mapping[str, Any], name: str, most: int) -> str:
    value = frame.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise Invalid(f"{name} must be a text.")
    if "\x00" in value:
        value = value.replace("\x00", "")  # PostgreSQL cannot keep it
    return value.encode("utf-8", "replace").decode()[:most]


def _uuid(frame: Mapping[str, Any], name: str) -> UUID:
    try:
        return UUID(str(frame.get(name)))
    except ValueError:
        raise Invalid(f"{name} must be a UUID.") from None


def _int(frame: Mapping[str, Any], name: str, allowed: range | tuple[int, ...]) -> int:
    value = frame.get(name)
    if not isinstance(value, int) or isinstance(value, bool) or value not in allowed:
        raise Invalid(f"{name} is not valid.")
    return value


def _mapping(frame: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = frame.get(name)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise Invalid(f"{name} must be an object.")
    return value


def _hello(frame: Frame) -> Hello:
    page, last = _mapping(frame, "page"), frame.get("last_seq")
    return Hello(
        visitor=_text(frame, "visitor", 1000),
        conversation=_uuid(frame, "conversation") if frame.get("conversation") else None,
        last_seq=None if last is None else _int(frame, "last_seq", range(2**53)),
        identity=_identity(_mapping(frame, "identity")),
        page=Page(_text(page, "url", 2000), _text(page, "title", 300), _text(page, "referrer", 2000)),
        locale=_text(frame, "locale", 16),
        context=_facts(_mapping(frame, "context")),
    )


def _facts(given: Mapping[str, Any]) -> dict[str, str | int | float | bool]:
    plain = {
        str(key)[:60]: value[:300] if isinstance(value, str) else value
        for key, value in given.items()
        if isinstance(value, str | int | float | bool)
    }
    return dict(list(plain.items())[:20])


def _identity(given: Mapping[str, Any]) -> Identity | None:
    if not given:
        return None
    if token := _text(given, "token", 4_000):
        return Identity(token=token)
    user_id, proof, expires = _text(given, "user_id", 200), _text(given, "hash", 128), given.get("expires")
    if not user_id or not proof:
        raise Invalid("identity needs a user_id and a hash, or a token.")
    return Identity(
        user_id,
        proof,
        _text(given, "name", 120),
        _text(given, "email", 254),
        None if expires is None else _int(given, "expires", range(2**53)),
    )


def _say(frame: Frame) -> Say:
    client_id, given = _uuid(frame, "client_id"), frame.get("text")
    if isinstance(given, str) and len(given) > MAX_TEXT:
        raise TooLong
    text, attachments = _text(frame, "text", MAX_TEXT).strip(), _attachments(frame.get("attachments"))
    if not text and not attachments:
        raise Invalid("A message needs a text.")
    return Say(client_id, text, attachments)


def _attachments(given: object) -> tuple[UUID, ...]:
    if given is None:
        return ()
    if not isinstance(given, list) or len(given) > MAX_ATTACHMENTS:
        raise Invalid(f"attachments is a list of at most {MAX_ATTACHMENTS} ids.")
    return tuple(dict.fromkeys(_uuid({"attachments": one}, "attachments") for one in given))


def _flag(frame: Mapping[str, Any], name: str) -> bool:
    value = frame.get(name)
    if not isinstance(value, bool):
        raise Invalid(f"{name} must be true or false.")
    return value


def _contact(frame: Frame) -> LeaveContact:
    given = {
        str(name)[:40]: value.strip()[:300]
        for name, value in _mapping(frame, "fields").items()
        if isinstance(value, str) and value.strip() and "\x00" not in value
    }
    if not given:
        raise Invalid("Please leave at least one way to reach you.")
    return LeaveContact(dict(list(given.items())[:20]))


_READERS: dict[str, Any] = {
    "hello": _hello,
    "message": _say,
    "stop": lambda frame: Stop(_uuid(frame, "message")),
    "typing": lambda _frame: Typing(),
    "feedback": lambda frame: Feedback(
        _uuid(frame, "message"), _int(frame, "value", (1, -1)), _text(frame, "comment", 1000)
    ),
    "rating": lambda frame: Rating(_int(frame, "score", range(1, 6)), _text(frame, "comment", 1000)),
    "lead": _contact,
    "handoff": lambda frame: AskForPerson(_text(frame, "reason", 500)),
    "end": lambda _frame: End(),
    "ping": lambda _frame: Ping(),
    "read": lambda frame: Read(_int(frame, "seq", range(2**53))),
    "conversations": lambda _frame: ListConversations(),
    "transcript": lambda frame: MailTranscript(_text(frame, "email", 254).strip()),
    "forget": lambda _frame: Forget(),
    "resolved": lambda frame: Resolved(_flag(frame, "value")),
}


# What the server sends


def dump(frame: Frame) -> str:
    """A frame as the text that goes over the socket."""
    return json.dumps(frame, ensure_ascii=False, separators=(",", ":"))


def load(text: str) -> Frame:
    """A frame of our own making, from the text `dump` made."""
    frame: Frame = json.loads(text)
    return frame


def ack_frame(
    *, client_id: UUID, message: UUID, text: str, attachments: Sequence[AttachmentEntry] = ()
) -> Frame:
    """`text` and `attachments` are for the visitor's other tabs."""
    frame: Frame = {"type": "ack", "client_id": str(client_id), "message": str(message), "text": text}
    return frame | {"attachments": list(attachments)} if attachments else frame


def start_frame(message: UUID) -> Frame:
    """An answer begins."""
    return {"type": "start", "message": str(message)}


def token_frame(message: UUID, text: str) -> Frame:
    """A piece of an answer."""
    return {"type": "token", "message": str(message), "text": text}


def message_frame(
    message: UUID, author: Author, text: str, attachments: Sequence[AttachmentEntry] = ()
) -> Frame:
    """A message of a person of the team or of the system."""
    frame: Frame = {"type": "message", "message": str(message), "author": author, "text": text}
    return frame | {"attachments": list(attachments)} if attachments else frame


def state_frame(state: str, author: Author | None = None) -> Frame:
    """The conversation is now in this state; `author` is the person who has taken it over."""
    frame: Frame = {"type": "state", "state": state}
    return frame | {"author": author} if author else frame


# Frames beside the numbered ones: they are not kept, and a client that misses one misses nothing.


def typing_frame(author: Author) -> Frame:
    """Somebody is typing."""
    return {"type": "typing", "author": author}


def read_frame(seq: int) -> Frame:
    """The other side has seen everything up to this number."""
    return {"type": "read", "seq": seq}


def done_frame(what: str, **more: str) -> Frame:
    """What the visitor asked for is done."""
    return {"type": "done", "what": what, **more}


def gone_frame() -> Frame:
    """The conversation is deleted; between our own processes and to the team, never to a visitor."""
    return {"type": "gone"}


def error_frame(error: AppError, *, client_id: UUID | None = None) -> Frame:
    """What went wrong, with one of the protocol's codes."""
    code = _AS_SAID.get(error.code, error.code)
    frame: Frame = {
        "type": "error",
        "code": code if code in ERROR_CODES else ("unavailable" if error.status >= 500 else "invalid"),
        "detail": error.detail,
    }
    if client_id is not None:
        frame["client_id"] = str(client_id)
    if error.retry_after is not None:
        frame["retry_after"] = max(1, round(error.retry_after))
    return frame


PONG = '{"type":"pong"}'
